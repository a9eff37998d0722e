package main

// Item is one line of the menu. The zero value is an empty line.
type Item struct {
	Title     string
	Tooltip   string
	Disabled  bool // a line to read
	Separator bool
	Checkbox  bool
	Checked   bool
	Children  []Item
	Do        Action // what a click does; the zero Action does nothing
}

// Verb is what an [Action] does.
type Verb string

// The verbs. Those above the line are for one server.
const (
	Enable  Verb = "enable"
	Disable Verb = "disable"
	Restart Verb = "restart"
	LogIn   Verb = "login"
	Logs    Verb = "logs"
	Review  Verb = "review"
	Approve Verb = "approve" // the page that was reviewed, named by its hash

	Start      Verb = "start"
	Stop       Verb = "stop"
	OpenUI     Verb = "ui"
	CopyURL    Verb = "copy"
	OpenConfig Verb = "config"
	OpenLogs   Verb = "all logs"
	AtLogin    Verb = "at login"
	Quit       Verb = "quit"
)

// Action is what a click asks for.
type Action struct {
	Verb         Verb
	Server, Hash string
}

func do(v Verb) Action                    { return Action{Verb: v} }
func doTo(v Verb, server string) Action   { return Action{Verb: v, Server: server} }
func approve(server, hash string) Action  { return Action{Verb: Approve, Server: server, Hash: hash} }
func line(text string) Item               { return Item{Title: text, Disabled: true} }
func button(title string, a Action) Item  { return Item{Title: title, Do: a} }
func separator() Item                     { return Item{Separator: true} }
func (i Item) when(possible bool) Item    { i.Disabled = !possible; return i }
func submenu(title string, c []Item) Item { return Item{Title: title, Children: c} }
func (i Item) explained(text string) Item { i.Tooltip = text; return i }
