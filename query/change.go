package query

// ChangeKind says which of a dataset's fields of a mutation was asked.
type ChangeKind uint8

// The kinds of changes.
const (
	Insert      ChangeKind = iota + 1 // insertOrders
	InsertOne                         // insertOrdersOne
	Update                            // updateOrders
	UpdateByKey                       // updateOrdersByPk
	Delete                            // deleteOrders
	DeleteByKey                       // deleteOrdersByPk
)

// One tells a change of one row, which is its answer.
func (k ChangeKind) One() bool { return k == InsertOne || k == UpdateByKey || k == DeleteByKey }

// Inserts tells a change that makes rows.
func (k ChangeKind) Inserts() bool { return k == Insert || k == InsertOne }

// Updates tells a change that keeps the rows it changes.
func (k ChangeKind) Updates() bool { return k == Update || k == UpdateByKey }

// String is what is done, for people.
func (k ChangeKind) String() string {
	switch {
	case k.Inserts():
		return "insert"
	case k.Updates():
		return "update"
	}
	return "delete"
}

// Change is one change of one dataset, as it was asked.
type Change struct {
	Dataset string // name in the catalog
	Kind    ChangeKind
	Field   Field // the field of the mutation with its arguments and selection
}
