package main

import "github.com/spf13/cobra"

// topic is a heading of the root's help and the commands below it.
type topic struct {
	title    string
	commands []*cobra.Command
}

// addTopics gives root the commands, under their headings in this order.
// Cobra's own, help and completion, go under the last one, and refuse like ours
// what there is not.
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
	for _, cmd := range root.Commands() {
		cmd.SuggestFor = otherWords[cmd.Name()]
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Run, cmd.RunE = nil, runHelp
		case "completion":
			cmd.Args, cmd.RunE, cmd.SuggestionsMinimumDistance = cobra.ArbitraryArgs, runGroup, 2
		}
	}
}

// otherWords are what people type where the command is called otherwise.
var otherWords = map[string][]string{
	"serve":      {"start", "run", "up"},
	"upstream":   {"add", "remove", "list", "logs", "restart", "servers", "server", "enable", "disable"},
	"quarantine": {"approve", "review", "inspect", "block", "unblock", "pending", "scan"},
	"secrets":    {"secret", "keyring", "set"},
	"auth":       {"login", "logout"},
	"search":     {"find", "retrieve_tools"},
	"audit":      {"history", "record"},
	"connect":    {"install", "setup"},
	"index":      {"rebuild", "eval"},
	"status":     {"ps"},
	"ui":         {"web", "dashboard"},
}

// runHelp shows the help of the command that args name.
func runHelp(cmd *cobra.Command, args []string) error {
	target, rest, err := cmd.Root().Find(args)
	switch {
	case err != nil:
		return usage(cmd, "%v", err)
	case len(rest) > 0 && target.HasSubCommands():
		return runGroup(target, rest)
	case len(rest) > 0:
		return usage(cmd, "unexpected argument %q", rest[0])
	}
	return target.Help()
}
