package phasegridv1

// Limits of the fields of NodeInfo. Nodes check them before they attach, and coordinators reject
// what exceeds them.
const (
	// MaxNameBytes is the longest name, version or kernel of a node.
	MaxNameBytes = 253
	// MaxSlots is the largest number of slots of a node.
	MaxSlots = 1 << 16
)
