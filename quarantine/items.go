package quarantine

import (
	"errors"
	"strings"

	"mcpproxy/internal/store"
	"mcpproxy/internal/tool"
)

// othersSuffix ends the name of the bucket of everything that is no tool.
const othersSuffix = ".items"

// items holds one record for each definition. Tools are keyed "server:name" in a
// bucket of their own, as they were when there was nothing else; the other kinds
// are keyed "server:kind/name" in a second one, so that no name of a tool can be
// taken for theirs. No server name holds a colon and no kind a slash. An empty
// name stands for the server itself.
type items[V any] struct{ tools, others store.Bucket[V] }

func openItems[V any](db *store.DB, name string) (b items[V], err error) {
	var errs [2]error
	b.tools, errs[0] = store.OpenBucket[V](db, name)
	b.others, errs[1] = store.OpenBucket[V](db, name+othersSuffix)
	return b, errors.Join(errs[:]...)
}

// itemKey returns the key of a record and whether it is in the bucket of tools.
func itemKey(id tool.ID) (key string, isTool bool) {
	switch {
	case id.Name == "":
		return id.Server, true
	case id.Kind == "":
		return id.String(), true
	default:
		return id.Server + ":" + string(id.Kind) + "/" + id.Name, false
	}
}

// idOf is the opposite of itemKey.
func idOf(key string, isTool bool) tool.ID {
	server, rest, _ := strings.Cut(key, ":")
	if isTool {
		return tool.ID{Server: server, Name: rest}
	}
	kind, name, _ := strings.Cut(rest, "/")
	return tool.ID{Server: server, Kind: tool.Kind(kind), Name: name}
}

// stage puts and removes records as a part of tx.
func (b items[V]) stage(tx *store.Tx, put map[tool.ID]V, remove []tool.ID) error {
	var puts [2]map[string]V
	var removes [2][]string
	at := func(isTool bool) int {
		if isTool {
			return 0
		}
		return 1
	}
	for id, v := range put {
		key, isTool := itemKey(id)
		i := at(isTool)
		if puts[i] == nil {
			puts[i] = map[string]V{}
		}
		puts[i][key] = v
	}
	for _, id := range remove {
		key, isTool := itemKey(id)
		removes[at(isTool)] = append(removes[at(isTool)], key)
	}
	return errors.Join(b.tools.Stage(tx, puts[0], removes[0]), b.others.Stage(tx, puts[1], removes[1]))
}

// get returns one record, or an error wrapping [store.ErrNotFound].
func (b items[V]) get(id tool.ID) (V, error) {
	key, isTool := itemKey(id)
	if isTool {
		return b.tools.Get(key)
	}
	return b.others.Get(key)
}

// all calls f for every record; see [store.Bucket.All].
func (b items[V]) all(f func(id tool.ID, v V, broken error) error) error {
	err := b.tools.All(func(key string, v V, broken error) error { return f(idOf(key, true), v, broken) })
	if err != nil {
		return err
	}
	return b.others.All(func(key string, v V, broken error) error { return f(idOf(key, false), v, broken) })
}
