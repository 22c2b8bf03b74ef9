// Package sluice is the client of Sluice, realtime messaging for Kubernetes: rooms, history, presence and an outbox.
//
// A [Client] comes back by itself after every loss that allows it, joins its rooms again from where it has read to, and
// keeps what is published meanwhile. It decides as the libraries for other languages do, and passes the same kit.
//
// Functions that are given to it, such as those of [Room.On], are called one at a time, in the order of what happened,
// and may call the client.
package sluice
