package main

import "github.com/spf13/cobra"

// topic is a heading of the root's help and the commands below it.
type topic struct {
	title    string
	commands []*cobra.Command
}

// addTopics gives root the commands, under their headings in this order.
// Cobra's own, help and completion, go under the last one.
func addTopics(root *cobra.Command, topics ...topic) {
	for _, t := range topics {
		root.AddGroup(&cobra.Group{ID: t.title, Title: t.title + ":"})
		for _, cmd := range t.commands {
			cmd.GroupID = t.title
			root.AddCommand(cmd)
		}
		root.SetHelpCommandGroupID(t.title)
		root.SetCompletionCommandGroupID(t.title)
	}
}
