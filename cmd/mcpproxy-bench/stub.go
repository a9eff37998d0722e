package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

// frame is one JSON-RPC message towards the stub.
type frame struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name            string          `json:"name"`
		Arguments       json.RawMessage `json:"arguments"`
		ProtocolVersion string          `json:"protocolVersion"`
	} `json:"params"`
}

// runStub serves a few invented tools on stdin and stdout until EOF. Each
// answers at once with its own name and its arguments.
func runStub(args []string) {
	flags := flag.NewFlagSet("stub", flag.ExitOnError)
	index := flags.Int("index", 0, "which slice of the invented tools")
	count := flags.Int("tools", 8, "how many tools")
	_ = flags.Parse(args)

	tools, _ := json.Marshal(inventTools(*index, *count))
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var f frame
		if json.Unmarshal(line, &f) != nil || len(f.ID) == 0 {
			continue
		}
		fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,%s}`+"\n", f.ID, answer(f, tools))
		_ = out.Flush()
	}
}

func answer(f frame, tools []byte) string {
	switch f.Method {
	case "initialize":
		return `"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"stub","version":"1"}}`
	case "tools/list":
		return fmt.Sprintf(`"result":{"tools":%s}`, tools)
	case "tools/call":
		text, _ := json.Marshal(f.Params.Name + " " + string(f.Params.Arguments))
		return fmt.Sprintf(`"result":{"content":[{"type":"text","text":%s}]}`, text)
	case "ping":
		return `"result":{}`
	default:
		return `"error":{"code":-32601,"message":"no such method"}`
	}
}
