// What a query answers, as paths that a chart may name.
import { getNamedType, getNullableType, isEnumType, isInterfaceType, isListType, isObjectType, isScalarType, Kind, parse, type DocumentNode, type GraphQLOutputType, type GraphQLSchema, type SelectionSetNode } from 'graphql';

interface Node {
  list: boolean;
  type: string | undefined; // of a leaf
  below: Map<string, Node>;
}

export interface Leaf {
  path: string;
  type: string;
  list: boolean; // it leads through a list, to one value of each item
}

export interface Shape {
  lists: string[];
  objects: string[];
  leaves: (rows: string | undefined) => Leaf[];
  leads: (path: string) => boolean; // to a list or an object
}

const numeric = new Set(['Int', 'BigInt', 'Decimal', 'Float']);
export const isNumber = ({ type }: Leaf) => numeric.has(type);

// shapeOf reads a query; undefined while it cannot be read.
export function shapeOf(query: string, schema: GraphQLSchema | undefined): Shape | undefined {
  if (!schema) return undefined;
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return undefined;
  }
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  const root = schema.getQueryType();
  if (!operation || operation.kind !== Kind.OPERATION_DEFINITION || !root) return undefined;
  const take = (set: SelectionSetNode, type: GraphQLOutputType, into: Map<string, Node>) => {
    const named = getNamedType(type);
    for (const one of set.selections) {
      if (one.kind === Kind.INLINE_FRAGMENT) take(one.selectionSet, one.typeCondition ? (schema.getType(one.typeCondition.name.value) as GraphQLOutputType) : type, into);
      else if (one.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = document.definitions.find((other) => other.kind === Kind.FRAGMENT_DEFINITION && other.name.value === one.name.value);
        if (fragment?.kind === Kind.FRAGMENT_DEFINITION) take(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value) as GraphQLOutputType, into);
      } else if (isObjectType(named) || isInterfaceType(named)) {
        const field = named.getFields()[one.name.value];
        if (!field) continue;
        const inner = getNamedType(field.type);
        const node: Node = into.get(one.alias?.value ?? one.name.value) ?? {
          list: isListType(getNullableType(field.type)),
          type: isScalarType(inner) || isEnumType(inner) ? inner.name : undefined,
          below: new Map(),
        };
        into.set(one.alias?.value ?? one.name.value, node);
        if (one.selectionSet) take(one.selectionSet, field.type, node.below);
      }
    }
  };
  const top: Node = { list: false, type: undefined, below: new Map() };
  take(operation.selectionSet, root, top.below);

  const lists: string[] = [];
  const objects: string[] = [];
  const walk = (node: Node, path: string, inList: boolean) => {
    for (const [name, one] of node.below) {
      const here = path ? `${path}.${name}` : name;
      if (one.type !== undefined) continue;
      if (one.list && !inList) lists.push(here);
      else if (!inList) objects.push(here);
      walk(one, here, inList || one.list);
    }
  };
  walk(top, '', false);
  const at = (path: string) => path.split('.').reduce<Node | undefined>((node, name) => (node && /^\d+$/.test(name) ? node : node?.below.get(name)), top);
  return {
    lists,
    objects,
    leads: (path) => at(path)?.below.size !== undefined && at(path)!.type === undefined,
    leaves: (rows) => {
      const start = rows ? at(rows) : undefined;
      const found: Leaf[] = [];
      const gather = (node: Node, path: string, list: boolean) => {
        for (const [name, one] of node.below) {
          const here = path ? `${path}.${name}` : name;
          if (one.type !== undefined) found.push({ path: here, type: one.type, list: list || one.list });
          else gather(one, here, list || one.list);
        }
      };
      if (start) gather(start, '', false);
      return found;
    },
  };
}
