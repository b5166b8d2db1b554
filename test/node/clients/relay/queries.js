// The queries of relay.js, for Relay's compiler: it writes them into __generated__.
import { graphql } from 'relay-runtime';

graphql`
  query queriesMonthlyQuery {
    ordersAggregate(as: "months") { key { month: placedOn(by: MONTH) } count }
  }
`;
graphql`
  query queriesRegionalQuery {
    ordersAggregate(as: "regions") { key { region } count }
  }
`;
graphql`
  query queriesBothQuery {
    months: ordersAggregate(as: "months") { key { month: placedOn(by: MONTH) } count }
    regions: ordersAggregate(as: "regions") { key { region } count }
  }
`;
graphql`
  query queriesEachQuery {
    ordersAggregate(as: "orders") { key { id_ region } count }
  }
`;
graphql`
  query queriesListQuery($where: OrdersWhere, $limit: Int) {
    orders(where: $where, limit: $limit, orderBy: [{ id: ASC }]) { id region total customer { id name } }
    lines(orderBy: [{ order_id: ASC }, { no: ASC }]) { order_id no product pieces }
    visits(orderBy: [{ page: ASC }]) { id page }
    customers(orderBy: [{ id: ASC }]) { id name }
  }
`;
graphql`
  query queriesForwardsQuery($first: Int, $after: String) {
    ordersConnection(first: $first, after: $after, orderBy: [{ id: ASC }]) @connection(key: "Forwards_ordersConnection", filters: []) {
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
graphql`
  query queriesBackwardsQuery($last: Int, $before: String) {
    ordersConnection(last: $last, before: $before, orderBy: [{ id: ASC }]) @connection(key: "Backwards_ordersConnection", filters: []) {
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
