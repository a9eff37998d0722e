// Package quarantine keeps what no person approved away from agents.
//
// A [Gate] holds, for every server name, the [Launch] identity that was
// approved and the hash and bytes of every tool definition that was approved.
// A server that nobody approved may not start ([Gate.Launch]). A tool whose
// definition differs from the approved bytes waits as a [Record] while the
// others serve ([Gate.Admit]). What an agent calls is compared once more, in
// memory ([Gate.Check]). A person looks at a [Page] and approves exactly what
// its hash covers ([Gate.ApproveServer]).
//
// # Trust at first sight
//
// A server that the configuration trusts ("quarantined": false) needs no
// person for the first launch identity and the first listing ever seen under
// its name. That trust is given once: an approval, another launch identity, a
// second and different listing, or [Gate.Forget] end it, and the record of that
// outlives the server's removal. Whoever removes a server and adds it again, a
// person included, finds it held.
//
// # Failing closed
//
// Approvals are on disk before a tool is admitted. A record that cannot be read
// counts as no approval, an approval that cannot be written has not happened,
// and a server whose launch identity the gate was not told since it was opened
// is held.
package quarantine
