// Package index finds tools by what they do.
package index
