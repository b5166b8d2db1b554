// The schema to read: types, fields and their words, with a search.
import { ArrowLeft, SearchX, X } from 'lucide-react';
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
} from 'graphql';
import { useMemo, useState } from 'react';
import { t } from '../texts';
import { Button, SearchField } from '../ui/controls';
import { Empty } from '../ui/state';

const most = 100;

export function Docs({ schema, path, setPath, onClose }: { schema: GraphQLSchema; path: string[]; setPath: (path: string[]) => void; onClose: () => void }) {
  const [search, setSearch] = useState('');
  const current = schema.getType(path.at(-1) ?? '');
  const open = (name: string) => {
    setSearch('');
    setPath([...path, name]);
  };
  return (
    <section className="docs card" aria-label={t.query.docs}>
      <div className="docs-head">
        {path.length > 0 ? (
          <Button look="quiet" small onPress={() => setPath(path.slice(0, -1))}>
            <ArrowLeft size={14} aria-hidden />
            {path.at(-2) ?? t.query.docsRoot}
          </Button>
        ) : (
          <h2>{t.query.docs}</h2>
        )}
        <Button look="quiet" small icon aria-label={t.close} onPress={onClose}>
          <X size={16} aria-hidden />
        </Button>
      </div>
      <div className="docs-search">
        <SearchField label={t.query.docsSearch} value={search} onChange={setSearch} />
      </div>
      <div className="docs-body" tabIndex={0} role="group" aria-label={path.at(-1) ?? t.query.docsRoot}>
        {search.trim() ? <Found schema={schema} wanted={search.trim().toLowerCase()} open={open} /> : current ? <Type type={current} open={open} /> : <Root schema={schema} open={open} />}
      </div>
    </section>
  );
}

type Open = (name: string) => void;

function Root({ schema, open }: { schema: GraphQLSchema; open: Open }) {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter((type) => type != null);
  return (
    <>
      {schema.description && <p>{schema.description}</p>}
      <ul>
        {roots.map((type) => (
          <li key={type.name}>
            <TypeLink type={type} open={open} />
            {type.description && <p>{type.description}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Type({ type, open }: { type: GraphQLNamedType; open: Open }) {
  return (
    <>
      <h3 className="mono">{type.name}</h3>
      {type.description && <p>{type.description}</p>}
      {(isObjectType(type) || isInterfaceType(type)) && (
        <>
          <h4>{t.query.docsFields}</h4>
          <ul>
            {Object.values(type.getFields()).map((field) => (
              <FieldDoc key={field.name} field={field} open={open} />
            ))}
          </ul>
        </>
      )}
      {isInputObjectType(type) && (
        <>
          <h4>{t.query.docsInputs}</h4>
          <ul>
            {Object.values(type.getFields()).map((field) => (
              <li key={field.name}>
                <Input field={field} open={open} />
                {field.description && <p>{field.description}</p>}
              </li>
            ))}
          </ul>
        </>
      )}
      {isEnumType(type) && (
        <>
          <h4>{t.query.docsValues}</h4>
          <ul>
            {type.getValues().map((value) => (
              <li key={value.name}>
                <code>{value.name}</code>
                {value.description && <p>{value.description}</p>}
              </li>
            ))}
          </ul>
        </>
      )}
      {isUnionType(type) && (
        <ul>
          {type.getTypes().map((member) => (
            <li key={member.name}>
              <TypeLink type={member} open={open} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function FieldDoc({ field, open, of }: { field: GraphQLField<unknown, unknown>; open: Open; of?: GraphQLNamedType }) {
  return (
    <li>
      <code>
        {of && <span className="muted">{of.name}.</span>}
        <b>{field.name}</b>
      </code>
      <code>: </code>
      <TypeLink type={field.type} open={open} />
      {field.deprecationReason != null && <span className="badge warn">{t.query.docsDeprecated}</span>}
      {field.description && <p>{field.description}</p>}
      {field.args.length > 0 && (
        <ul className="args" aria-label={t.query.docsArguments}>
          {field.args.map((arg) => (
            <li key={arg.name}>
              <Input field={arg} open={open} />
              {arg.description && <p>{arg.description}</p>}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Input({ field, open }: { field: GraphQLArgument | GraphQLInputField; open: Open }) {
  return (
    <>
      <code>{field.name}: </code>
      <TypeLink type={field.type} open={open} />
      {field.defaultValue !== undefined && <code className="muted"> = {JSON.stringify(field.defaultValue)}</code>}
    </>
  );
}

function TypeLink({ type, open }: { type: GraphQLType; open: Open }) {
  return (
    <button type="button" className="type-link mono" onClick={() => open(getNamedType(type).name)}>
      {String(type)}
    </button>
  );
}

function Found({ schema, wanted, open }: { schema: GraphQLSchema; wanted: string; open: Open }) {
  const { types, fields } = useMemo(() => {
    const all = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
    return {
      types: all.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, most),
      fields: all
        .flatMap((of) => (isObjectType(of) || isInterfaceType(of) ? Object.values(of.getFields()).map((field) => ({ of, field })) : []))
        .filter(({ field }) => field.name.toLowerCase().includes(wanted))
        .slice(0, most),
    };
  }, [schema, wanted]);
  if (types.length + fields.length === 0) {
    return (
      <Empty icon={SearchX} title={t.catalog.none}>
        {t.query.docsNothing}
      </Empty>
    );
  }
  return (
    <ul>
      {types.map((type) => (
        <li key={type.name}>
          <TypeLink type={type} open={open} />
          {type.description && <p>{type.description}</p>}
        </li>
      ))}
      {fields.map(({ of, field }) => (
        <FieldDoc key={`${of.name}.${field.name}`} field={field} of={of} open={open} />
      ))}
    </ul>
  );
}
