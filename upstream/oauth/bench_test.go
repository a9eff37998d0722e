package oauth

import "testing"

// What a login adds to each request.
func BenchmarkToken(b *testing.B) {
	k := New(b.Context(), Options{})
	defer k.Close()
	k.Apply([]Server{{Name: "srv", URL: "https://mcp.example/mcp"}})
	a, err := k.account("srv")
	if err != nil {
		b.Fatal(err)
	}
	a.load()
	a.current.Store(newToken("at", "rt", "", 3600))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if token, err := k.Token(b.Context(), "srv"); token != "at" || err != nil {
				b.Fatal(token, err)
			}
		}
	})
}
