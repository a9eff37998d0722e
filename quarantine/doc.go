// Package quarantine keeps what no person approved away from agents.
package quarantine
