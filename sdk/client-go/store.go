package sluice

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// OutboxStore keeps publications until it is known what became of them.
type OutboxStore interface {
	// Open returns what is kept, in the order in which it was published.
	Open() ([]Item, error)
	// Put keeps an item, or what has changed of it.
	Put(Item) error
	// Remove lets an item go; one that is not there is no error.
	Remove(id string) error
}

// FileStore keeps the outbox in a file, which is replaced in one step. One client at a time may use it.
func FileStore(path string) OutboxStore { return &fileStore{path: path} }

type fileStore struct {
	mu    sync.Mutex
	path  string
	items []Item
}

func (s *fileStore) Open() ([]Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &s.items); err != nil {
		return nil, err
	}
	return slices.Clone(s.items), nil
}

func (s *fileStore) Put(item Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.find(item.ID); at >= 0 {
		s.items[at] = item
	} else {
		s.items = append(s.items, item)
	}
	return s.write()
}

func (s *fileStore) Remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.find(id)
	if at < 0 {
		return nil
	}
	s.items = slices.Delete(s.items, at, at+1)
	return s.write()
}

func (s *fileStore) find(id string) int {
	return slices.IndexFunc(s.items, func(item Item) bool { return item.ID == id })
}

func (s *fileStore) write() error {
	text, err := json.Marshal(s.items)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(s.path+".new", s.path)
}
