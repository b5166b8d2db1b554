// What there is to name in a role, as far as its writer sees it.
import { useQuery } from '@tanstack/react-query';
import { buildClientSchema, getIntrospectionQuery, isEnumType, isInputObjectType, isListType, isNonNullType, type GraphQLInputType, type IntrospectionQuery } from 'graphql';
import { useMemo } from 'react';
import { ask } from '../../api';
import { useMe } from '../../me';
import { session } from '../../session';
import { admin } from '../common';
import { allOperators } from './grammar';
import { useShown, type Bounds, type Dataset } from './shown';

function useBounds() {
  const me = useMe();
  return useQuery({
    queryKey: ['datasets', 'bounds'],
    enabled: me.has('AdminQuery.roleBounds'),
    staleTime: 60_000,
    queryFn: () => admin<({ dataset: string } & Bounds)[]>('{ admin { it: roleBounds { dataset maxLimit changes given includeDeleted } } }').then((all) => all.map((one) => ({ ...one, changes: one.changes.map((change) => change.toLowerCase()) }))),
  }).data;
}

// useKnown also knows what may be said of each, and by what columns are compared, as soon as the schema is there.
export function useKnown(): Dataset[] | undefined {
  const me = useMe();
  const datasets = useShown();
  const bounds = useBounds();
  const schema = useQuery({
    queryKey: ['schema', session.token()],
    enabled: me.has('Query.datasets'),
    staleTime: Infinity,
    queryFn: () => ask<IntrospectionQuery>(getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true })).then((answer) => buildClientSchema(answer)),
  }).data;
  return useMemo(() => {
    const roots = schema?.getQueryType()?.getFields();
    return datasets?.map((dataset) => {
      const where = bare(roots?.[dataset.name]?.args.find(({ name }) => name === 'where')?.type);
      const fields = isInputObjectType(where) ? where.getFields() : {};
      return {
        ...dataset,
        bounds: bounds?.find((one) => one.dataset === dataset.name),
        columns: dataset.columns.map((column) => {
          const compared = bare(fields[column.name]?.type);
          const operators = isInputObjectType(compared)
            ? allOperators.flatMap((name) => compared.getFields()[name] ?? []).map(({ name, type, description }) => {
                const of = bare(type);
                return { name, list: isListType(isNonNullType(type) ? type.ofType : type), description, labels: isEnumType(of) ? of.getValues().map((value) => value.name) : undefined };
              })
            : undefined;
          return { ...column, operators };
        }),
      };
    });
  }, [datasets, bounds, schema]);
}

// bare is a type without what may be null and lists.
function bare(type: GraphQLInputType | undefined): GraphQLInputType | undefined {
  while (isNonNullType(type) || isListType(type)) type = type.ofType as GraphQLInputType;
  return type;
}
