package app

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpproxy/internal/client"
)

// connected returns a client of a program on a data directory with this
// configuration, and the path of the file.
func connected(t *testing.T, text string) (*client.Client, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "mcp_config.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, closeClient, err := Connect(t.Context(), Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeClient(); err != nil {
			t.Error(err)
		}
	})
	return c, path
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestConfig_EditAndKeepSecrets(t *testing.T) {
	t.Parallel()
	const file = "{\n  \"top_k\": 4, // few\n  \"mcpServers\": {\"a\": {\"command\": \"x\", \"env\": {\"T\": \"s3cret\"}}}\n}\n"
	c, path := connected(t, file)
	ctx := t.Context()
	v, err := c.Config(ctx)
	if err != nil || strings.Contains(v.Text, "s3cret") || v.Hidden != 1 || !v.InForce || v.Settings.TopK != 4 || len(v.Faults) != 0 {
		t.Fatalf("Config = %+v, %v", v, err)
	}
	edited := strings.Replace(v.Text, "4, // few", "6, // more", 1)
	if check, err := c.CheckConfig(ctx, edited); err != nil || !check.OK {
		t.Errorf("CheckConfig = %+v, %v", check, err)
	}
	after, err := c.WriteConfig(ctx, edited, v.Hash)
	if err != nil || after.Settings.TopK != 6 {
		t.Fatalf("WriteConfig = %+v, %v", after, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != strings.Replace(file, "4, // few", "6, // more", 1) {
		t.Errorf("the file is\n%s, %v", text, err)
	}
	if _, err := c.WriteConfig(ctx, edited, v.Hash); codeOf(err) != "conflict" {
		t.Errorf("with the hash of before: %v, want a conflict", err)
	}
	if _, err := c.WriteConfig(ctx, `{"listen": "**redacted**"}`, after.Hash); codeOf(err) != "config" {
		t.Errorf("with a marker that stands for nothing: %v", err)
	}
	patched, err := c.PatchConfig(ctx, client.ConfigPatch{Set: map[string]json.RawMessage{"tools_limit": json.RawMessage("9"), "top_k": json.RawMessage("null")}})
	if err != nil || patched.Settings.ToolsLimit != 9 || patched.Settings.TopK != 5 {
		t.Errorf("PatchConfig = %+v, %v", patched.Settings, err)
	}
	for _, key := range []string{"mcpServers", "quarantine_enabled", "data_dir", "trusted_hosts", "nonsense"} {
		if _, err := c.PatchConfig(ctx, client.ConfigPatch{Set: map[string]json.RawMessage{key: json.RawMessage("null")}}); codeOf(err) != "invalid" {
			t.Errorf("patching %s: %v, want invalid", key, err)
		}
	}
	if _, err := c.PatchConfig(ctx, client.ConfigPatch{Set: map[string]json.RawMessage{"top_k": json.RawMessage(`"x"`)}}); codeOf(err) != "config" {
		t.Errorf("patching a wrong type: %v, want config", err)
	}
}

func TestConfig_AllFaultsWithLines(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, "{}")
	check, err := c.CheckConfig(t.Context(), "{\n\"top_k\": \"x\",\n\"mcpServers\": [{\"name\": \"a\", \"url\": 3}],\n\"topk\": 1\n}")
	if err != nil || check.OK || len(check.Faults) != 2 || check.Faults[0].Line != 2 || check.Faults[1].Path != "mcpServers[0].url" || len(check.Warnings) != 1 {
		t.Errorf("CheckConfig = %+v, %v", check, err)
	}
}

func TestConfig_ReadOnly(t *testing.T) {
	t.Parallel()
	c, path := connected(t, `{"read_only": true, "mcpServers": {"a": {"command": "x"}}}`)
	ctx := t.Context()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Config(ctx)
	if err != nil || !v.ReadOnly {
		t.Fatalf("Config = %+v, %v", v, err)
	}
	name, off := "b", false
	_, add := c.AddServer(ctx, client.ServerChange{Name: &name, Command: &name})
	_, update := c.UpdateServer(ctx, "a", client.ServerChange{Enabled: &off})
	_, write := c.WriteConfig(ctx, "{}", v.Hash)
	_, patch := c.PatchConfig(ctx, client.ConfigPatch{})
	_, model := c.UseModel(ctx, "default")
	for what, err := range map[string]error{
		"add": add, "update": update, "remove": c.RemoveServer(ctx, "a"), "write": write, "patch": patch, "model": model,
	} {
		if codeOf(err) != "forbidden" {
			t.Errorf("%s: %v, want forbidden", what, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed to %s, %v", after, err)
	}
}
