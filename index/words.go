package index

import (
	"slices"
	"strings"
	"sync"
)

// functionWords carry the grammar of a request and little of its subject. They
// stay in the index and count little in a query ([weights].stop). Question
// words that name what is wanted (who, when, where) and words that limit it
// (all, before, between, most) are left out on purpose: in short requests they
// decide.
const functionWords = `
a an the this that these those
i me my mine you your yours he him his she her hers it its we us our ours they them their theirs
am is are was were be been being do does did done doing don have has had having
can could will would shall should may might must ll ve re
and or but nor if then else so as than because though
of at by for with to in into from on onto upon
what which there here such
please kindly just also too very really some any each
want need like let help know tell give
not no t s d m`

// lightWords are the small change of conversation: frequent in requests, rare in
// definitions of tools, and so overrated by a small catalogue's frequencies.
// They count half ([weights].light).
const lightWords = `
thing things something anything everything nothing stuff someone anyone everyone nobody somebody somewhere
got going go goes went gone come comes came coming put puts take takes took keep keeps look looks looking
say says said saying made making see seen seems right still yet again already actually really currently lately
much many every few several lot lots bit bunch little big own ones both another
how why now today tonight tomorrow yesterday morning night soon later ago moment
around here back away behind inside together
up down out off over
good best better great nice new old fresh whole different
thanks thank hello hi ok okay sure maybe able trying try tried using use used`

// synonymGroups are words that people and tool authors use for each other:
// everyday verbs of tools, the abbreviations of programmers, and common nouns.
// Written by hand from general knowledge; a word may stand in several groups.
const synonymGroups = `
get show fetch retrieve read view display
get list show
find search lookup query locate
list browse enumerate
create add new make insert
create generate make build
delete remove erase drop
clear reset empty
update edit modify change
set configure change assign
send post deliver submit
publish release post
share publish
start run launch begin
run execute invoke trigger
stop cancel end terminate abort kill
pause suspend
resume continue
save store write
open access
copy duplicate clone
move transfer
rename retitle
download export save
upload import attach
check verify validate test
compare diff difference
count number total
calculate compute calculation
convert transform translate conversion
analyze analysis examine inspect evaluate
summarize summary overview digest
explain describe description
recommend suggest recommendation suggestion
notify alert notification
remind reminder
book reserve reservation booking
buy purchase order
pay payment
schedule plan calendar
join connect link
invite add
approve accept confirm
reject decline deny
enable activate
disable deactivate
install setup
sort rank order
filter narrow
merge combine join
split divide separate
repo repository
db database
doc document documentation
config configuration setting
dir directory folder
img image picture photo
pic picture photo
msg message
auth authentication login
env environment
info information detail
org organization company
company business firm
app application
email mail
vehicle car automobile
movie film
weather forecast temperature
price cost rate fee
task todo
meeting appointment event
k8s kubernetes
issue ticket bug
user account member person people
comment note remark
article post page
song track music
hotel accommodation lodging
restaurant dining
job career vacancy position
news headline
stock share equity
trip travel journey vacation
recipe dish meal cooking
customer client
employee staff worker
website site webpage
url link
phone telephone mobile
address location
location place
chart graph plot diagram
spreadsheet sheet table
log history record
error failure exception
metric statistic stats
latest recent newest
current now
language lang
param parameter argument
var variable
func function
cmd command
dev development developer
prod production
perf performance
temp temperature
transcript caption subtitle
video clip
quote quotation
symbol ticker
crypto cryptocurrency coin
wallet balance
paper publication article
doctor physician
medicine drug medication
workout exercise training
lyric song
team group
label tag
branch ref
password credential secret
host server machine
vm instance machine`

// vocabulary is what a query is read with.
type vocabulary struct {
	stop     map[string]bool // folded words
	light    map[string]bool
	synonyms map[term][]term // by stem, without the stem itself
}

var loadVocabulary = sync.OnceValue(func() *vocabulary {
	v := &vocabulary{stop: make(map[string]bool), light: make(map[string]bool), synonyms: make(map[term][]term)}
	for word := range strings.FieldsSeq(functionWords) {
		v.stop[word] = true
	}
	for word := range strings.FieldsSeq(lightWords) {
		v.light[word] = true
	}
	a := newAnalyzer()
	for group := range strings.Lines(strings.TrimSpace(synonymGroups)) {
		v.addGroup(a, strings.Fields(group))
	}
	return v
})

func (v *vocabulary) addGroup(a *analyzer, words []string) {
	for _, word := range words {
		of := a.stem(word)
		for _, other := range words {
			if s := a.stem(other); s != of {
				v.addSynonym(of, s)
			}
		}
	}
}

func (v *vocabulary) addSynonym(of, s term) {
	if slices.Contains(v.synonyms[of], s) {
		return
	}
	v.synonyms[of] = append(v.synonyms[of], s)
}
