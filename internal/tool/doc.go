// Package tool holds what the whole program agrees a tool is: its [ID], its
// definition as the upstream sent it ([Tool].Raw), and the [Hash] that pins
// that definition.
//
// A definition is never re-encoded on its way to an agent: Raw is served,
// hashed and shown. The decoded fields (Title, Description, InputSchema …)
// exist for ranking, validation and display only.
//
// Prompts, resources, resource templates and a server's instructions are text
// that an agent reads as well. They are Tools of another [Kind], so that one gate
// pins them all.
package tool
