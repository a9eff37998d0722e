package example

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Limits of the files server.
const (
	maxEntries    = 1000
	maxHits       = 200
	maxReadBytes  = 256 << 10
	maxSearchFile = 4 << 20
	maxHitChars   = 300
)

// skipped are folders that a search does not enter.
var skipped = []string{".git", "node_modules", ".venv", "__pycache__"}

// folder shows what is below one root and nothing else: neither .. nor a
// symbolic link leads out, as [os.Root] opens every file.
type folder struct{ root *os.Root }

func newFiles(args []string) (*server.MCPServer, func() error, error) {
	dir := "."
	switch len(args) {
	case 0:
	case 1:
		dir = args[0]
	default:
		return nil, nil, errors.New("example files takes one argument: the folder to show")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("example files: %w", err)
	}
	f := &folder{root}
	s := newServer("files", "Read-only access to one folder: list, find, read and search files in it.")
	at := func(what string, o ...mcp.PropertyOption) mcp.ToolOption {
		return mcp.WithString("path", append(o, mcp.Description(what+", relative to the folder, with / between names"))...)
	}
	s.AddTool(tool("list_directory", "List a folder", "List the files and folders in a directory with their sizes and dates.", reads, at("Directory; default the folder itself")), answer(f.list))
	s.AddTool(tool("read_file", "Read a file", "Read the text of a file, whole or some lines of it.", reads, at("File", mcp.Required()),
		mcp.WithInteger("first_line", mcp.Min(1), mcp.Description("First line to return, counted from 1; default 1")),
		mcp.WithInteger("lines", mcp.Min(1), mcp.Max(100_000), mcp.Description("How many lines; default all that fit into 256 KiB"))), answer(f.read))
	s.AddTool(tool("search_text", "Search in files", "Search the text of all files below a directory for a word or phrase, like grep, and return the lines that hold it.", reads,
		mcp.WithString("query", mcp.Required(), mcp.MinLength(1), mcp.Description("Text to look for, taken literally; case does not matter")), at("Directory to search; default the whole folder"),
		mcp.WithString("pattern", mcp.Description("Only files whose name fits, such as *.go"))), answer(f.search))
	s.AddTool(tool("find_files", "Find files by name", "Find files below a directory whose name fits a pattern such as *.md or report-*.", reads,
		mcp.WithString("pattern", mcp.Required(), mcp.MinLength(1), mcp.Description("Name with * and ? as wildcards")), at("Directory to start from; default the whole folder")), answer(f.find))
	s.AddTool(tool("file_info", "Describe a file", "Get the size, date, permissions and kind of one file or folder.", reads, at("File or directory", mcp.Required())), answer(f.info))
	return s, root.Close, nil
}

// local is the path inside the root.
func local(p string) string {
	if p == "" {
		return "."
	}
	return path.Clean(p)
}

// explain turns an error of the file system into one that shows no host path.
func explain(p string, err error) error {
	reason := err
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		reason = pathError.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound("%q does not exist: list_directory shows what does", p)
	case errors.Is(err, fs.ErrPermission):
		return &fault{"refused", fmt.Sprintf("%q may not be read", p)}
	case path.IsAbs(p) || strings.Contains(reason.Error(), "escapes"):
		return &fault{"refused", fmt.Sprintf("%q is outside of the folder: give a path below it", p)}
	}
	return invalid("%q: %v", p, reason)
}

type entry struct {
	Path     string    `json:"path"`
	Kind     string    `json:"kind"` // file, directory, link or other
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Mode     string    `json:"mode,omitempty"`
}

func entryOf(p string, info fs.FileInfo) entry {
	kind := "other"
	switch {
	case info.Mode().IsRegular():
		kind = "file"
	case info.IsDir():
		kind = "directory"
	case info.Mode()&fs.ModeSymlink != 0:
		kind = "link"
	}
	return entry{Path: p, Kind: kind, Size: info.Size(), Modified: info.ModTime().UTC().Truncate(time.Second)}
}

type listing struct {
	Entries   []entry `json:"entries"`
	Truncated bool    `json:"truncated"`
}

func (f *folder) list(_ context.Context, a struct{ Path string }) (listing, error) {
	p := local(a.Path)
	entries, err := fs.ReadDir(f.root.FS(), p)
	if err != nil {
		return listing{}, explain(a.Path, err)
	}
	out := listing{Entries: []entry{}}
	for _, e := range entries {
		if len(out.Entries) == maxEntries {
			out.Truncated = true
			break
		}
		if info, err := e.Info(); err == nil { // else it has just gone
			out.Entries = append(out.Entries, entryOf(path.Join(p, e.Name()), info))
		}
	}
	return out, nil
}

func (f *folder) info(_ context.Context, a struct{ Path string }) (entry, error) {
	p := local(a.Path)
	info, err := f.root.Lstat(p)
	if err != nil {
		return entry{}, explain(a.Path, err)
	}
	e := entryOf(p, info)
	e.Mode = info.Mode().String()
	return e, nil
}

// open opens a regular file; a pipe or device could block for ever.
func (f *folder) open(p string) (*os.File, error) {
	info, err := f.root.Stat(p)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	return f.root.Open(p)
}

type page struct {
	Path      string `json:"path"`
	Text      string `json:"text"`
	FirstLine int    `json:"first_line"`
	Lines     int    `json:"lines"` // in Text
	More      bool   `json:"more"`  // the file goes on
}

func (f *folder) read(ctx context.Context, a struct {
	Path  string
	First int `json:"first_line"`
	Lines int
}) (page, error) {
	p := local(a.Path)
	file, err := f.open(p)
	if err != nil {
		return page{}, explain(a.Path, err)
	}
	defer func() { _ = file.Close() }()
	r := bufio.NewReaderSize(file, 64<<10)
	if head, _ := r.Peek(8000); bytes.IndexByte(head, 0) >= 0 {
		return page{}, invalid("%q is not a text file", a.Path)
	}
	out := page{Path: p, FirstLine: max(a.First, 1)}
	var text bytes.Buffer
	for line := 1; ctx.Err() == nil; {
		piece, err := r.ReadSlice('\n') // at most 64 KiB, so that no line is held whole
		wanted := line >= out.FirstLine && len(piece) > 0
		if wanted && (a.Lines > 0 && out.Lines >= a.Lines || text.Len()+len(piece) > maxReadBytes) {
			out.More = true
			break
		}
		if wanted {
			text.Write(piece)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if wanted {
			out.Lines++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return page{}, explain(a.Path, err)
		}
		line++
	}
	out.Text = strings.ToValidUTF8(text.String(), "\ufffd")
	return out, ctx.Err()
}
