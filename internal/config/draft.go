package config

// Draft is the text of a [File] as edits would make it, one after the other. It is
// never written, and tells what an edit would be refused for.
type Draft struct {
	file *File
	text []byte
}

// Draft begins with the file as it is now.
func (f *File) Draft() (*Draft, error) {
	text, err := f.Text()
	return &Draft{file: f, text: text}, err
}

// AddServer is [File.AddServer] in the draft, with the same errors. A server that
// is refused is not in it.
func (d *Draft) AddServer(name string, fields []Field) error {
	text, err := d.file.edited(d.text, func(e *editor) error { return e.add(name, fields) })
	if err == nil {
		d.text = text
	}
	return err
}
