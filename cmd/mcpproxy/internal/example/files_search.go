package example

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// walk calls visit for every regular file below p whose name fits the pattern,
// until it returns false.
func (f *folder) walk(ctx context.Context, p, pattern string, visit func(p string, info fs.FileInfo) bool) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return invalid("pattern %q: a [ has no ]", pattern)
	}
	err := fs.WalkDir(f.root.FS(), local(p), func(at string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && at == local(p):
			return err
		case err != nil:
			return nil // a folder that may not be read hides no others
		case d.IsDir() && at != local(p) && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		if fits, _ := path.Match(pattern, d.Name()); pattern != "" && !fits {
			return nil
		}
		if info, err := d.Info(); err == nil && !visit(at, info) {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return explain(p, err)
	}
	return err
}

func (f *folder) find(ctx context.Context, a struct{ Pattern, Path string }) (listing, error) {
	out := listing{Entries: []entry{}}
	err := f.walk(ctx, a.Path, a.Pattern, func(p string, info fs.FileInfo) bool {
		if out.Truncated = len(out.Entries) == maxEntries; !out.Truncated {
			out.Entries = append(out.Entries, entryOf(p, info))
		}
		return !out.Truncated
	})
	return out, err
}

type hit struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

type hits struct {
	Hits      []hit `json:"hits"`
	Truncated bool  `json:"truncated"`
}

func (f *folder) search(ctx context.Context, a struct{ Query, Path, Pattern string }) (hits, error) {
	out := hits{Hits: []hit{}}
	query := strings.ToLower(a.Query)
	err := f.walk(ctx, a.Path, a.Pattern, func(p string, info fs.FileInfo) bool {
		if info.Size() <= maxSearchFile {
			out.Hits = append(out.Hits, f.grep(p, query, maxHits+1-len(out.Hits))...)
		}
		return len(out.Hits) <= maxHits
	})
	if len(out.Hits) > maxHits {
		out.Hits, out.Truncated = out.Hits[:maxHits], true
	}
	return out, err
}

// grep returns up to limit lines of a text file that hold query.
func (f *folder) grep(p, query string, limit int) (found []hit) {
	file, err := f.open(p)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxSearchFile))
	if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 || !utf8.Valid(text) {
		return nil
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if !strings.Contains(strings.ToLower(line), query) {
			continue
		}
		shown := []rune(strings.TrimSpace(line))
		if len(shown) > maxHitChars {
			shown = append(shown[:maxHitChars], '…')
		}
		if found = append(found, hit{p, number, string(shown)}); len(found) == limit {
			break
		}
	}
	return found
}
