package example

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpproxy/internal/atomicfile"
)

// notesFile is the environment variable that names the file to keep notes in.
const notesFile = "NOTES_FILE"

// maxNotes bounds what one server keeps.
const maxNotes = 10_000

type note struct {
	ID      int       `json:"id"`
	Title   string    `json:"title"`
	Text    string    `json:"text,omitempty"`
	Tags    []string  `json:"tags"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// notebook holds notes in memory and, if path is set, in that file.
type notebook struct {
	mu    sync.Mutex
	path  string
	last  int
	notes []note // by ID
}

func newNotes() (*server.MCPServer, error) {
	b := &notebook{path: os.Getenv(notesFile)}
	if err := b.load(); err != nil {
		return nil, err
	}
	s := newServer("notes", "Short notes with tags. They are kept in memory, or in the file that the environment variable NOTES_FILE names.")
	id := mcp.WithInteger("id", mcp.Required(), mcp.Min(1), mcp.Description("Number of the note, from add_note, list_notes or search_notes"))
	title := func(o ...mcp.PropertyOption) mcp.ToolOption {
		return mcp.WithString("title", append(o, mcp.Description("One line that says what the note is about"), mcp.MinLength(1), mcp.MaxLength(200))...)
	}
	text := mcp.WithString("text", mcp.Description("The note itself; Markdown is fine"), mcp.MaxLength(100_000))
	tags := mcp.WithArray("tags", mcp.Description("Labels to find the note by, such as work or shopping"), mcp.WithStringItems(mcp.MaxLength(50)), mcp.MaxItems(20))
	limit := mcp.WithInteger("limit", mcp.Description("The most notes to return; default 50"), mcp.Min(1), mcp.Max(500))

	s.AddTool(tool("add_note", "Add a note", "Write down a new note with a title, a text and tags, to remember something for later.", adds, title(mcp.Required()), text, tags), answer(b.add))
	s.AddTool(tool("list_notes", "List notes", "List the notes, newest first, with title and tags but without their text.", reads,
		mcp.WithString("tag", mcp.Description("Only notes with this tag")), limit), answer(b.list))
	s.AddTool(tool("search_notes", "Search notes", "Find notes that hold all the given words in title, text or tags.", reads,
		mcp.WithString("query", mcp.Required(), mcp.MinLength(1), mcp.Description("Words to look for; upper and lower case are the same")), limit), answer(b.search))
	s.AddTool(tool("get_note", "Read a note", "Read one note in full.", reads, id), answer(b.get))
	s.AddTool(tool("update_note", "Change a note", "Change the title, text or tags of a note. What is not given stays; what is given replaces the old.", changes, id, title(), text, tags), answer(b.update))
	s.AddTool(tool("delete_note", "Delete a note", "Delete one note for good.", changes, id), answer(b.remove))
	return s, nil
}

func (b *notebook) load() error {
	if b.path == "" {
		return nil
	}
	data, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b.notes)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", notesFile, err)
	}
	slices.SortFunc(b.notes, func(x, y note) int { return x.ID - y.ID })
	if n := len(b.notes); n > 0 {
		b.last = b.notes[n-1].ID
	}
	return nil
}

// commit puts notes in force once they are in the file. The caller holds mu.
func (b *notebook) commit(notes []note) error {
	if b.path != "" {
		data, err := json.MarshalIndent(notes, "", "  ")
		if err != nil {
			return err
		}
		if err := atomicfile.Write(b.path, data, 0o600); err != nil {
			return err
		}
	}
	b.notes = notes
	return nil
}

// find returns where the note is. The caller holds mu.
func (b *notebook) find(id int) (int, error) {
	i, ok := slices.BinarySearchFunc(b.notes, id, func(n note, id int) int { return n.ID - id })
	if !ok {
		return 0, notFound("there is no note %d: list_notes shows which there are", id)
	}
	return i, nil
}

func (b *notebook) add(_ context.Context, a struct {
	Title, Text string
	Tags        []string
}) (note, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.notes) >= maxNotes {
		return note{}, &fault{"refused", fmt.Sprintf("there are %d notes already: delete some first", maxNotes)}
	}
	now := time.Now().UTC().Truncate(time.Second)
	n := note{ID: b.last + 1, Title: a.Title, Text: a.Text, Tags: tidy(a.Tags), Created: now, Updated: now}
	if err := b.commit(append(slices.Clone(b.notes), n)); err != nil {
		return note{}, err
	}
	b.last = n.ID
	return n, nil
}

// tidy returns tags in lower case, each once, never nil.
func tidy(tags []string) []string {
	out := []string{}
	for _, t := range tags {
		if t = strings.ToLower(strings.TrimSpace(t)); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

type notesPage struct {
	Notes []note `json:"notes"`
	Total int    `json:"total"` // that match, shown or not
}

func (b *notebook) list(_ context.Context, a struct {
	Tag   string
	Limit int
}) (notesPage, error) {
	tag := strings.ToLower(strings.TrimSpace(a.Tag))
	return b.page(a.Limit, func(n note) bool { return tag == "" || slices.Contains(n.Tags, tag) }), nil
}

func (b *notebook) search(_ context.Context, a struct {
	Query string
	Limit int
}) (notesPage, error) {
	words := strings.Fields(strings.ToLower(a.Query))
	if len(words) == 0 {
		return notesPage{}, invalid("query holds no word")
	}
	return b.page(a.Limit, func(n note) bool {
		all := strings.ToLower(n.Title + "\n" + n.Text + "\n" + strings.Join(n.Tags, " "))
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) })
	}), nil
}

func (b *notebook) page(limit int, match func(note) bool) notesPage {
	if limit <= 0 {
		limit = 50
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := notesPage{Notes: []note{}}
	for _, n := range slices.Backward(b.notes) {
		if !match(n) {
			continue
		}
		if p.Total++; len(p.Notes) < limit {
			n.Text = ""
			p.Notes = append(p.Notes, n)
		}
	}
	return p
}

type noteID struct{ ID int }

func (b *notebook) get(_ context.Context, a noteID) (note, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.find(a.ID)
	if err != nil {
		return note{}, err
	}
	return b.notes[i], nil
}

func (b *notebook) update(_ context.Context, a struct {
	ID          int
	Title, Text *string
	Tags        *[]string
}) (note, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.find(a.ID)
	if err != nil {
		return note{}, err
	}
	n := b.notes[i]
	if a.Title != nil {
		n.Title = *a.Title
	}
	if a.Text != nil {
		n.Text = *a.Text
	}
	if a.Tags != nil {
		n.Tags = tidy(*a.Tags)
	}
	n.Updated = time.Now().UTC().Truncate(time.Second)
	notes := slices.Clone(b.notes)
	notes[i] = n
	return n, b.commit(notes)
}

func (b *notebook) remove(_ context.Context, a noteID) (map[string]any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.find(a.ID)
	if err != nil {
		return nil, err
	}
	title := b.notes[i].Title
	return map[string]any{"deleted": a.ID, "title": title}, b.commit(slices.Delete(slices.Clone(b.notes), i, i+1))
}
