// CodeMirror in a shadow root: there its style sheets are adopted, while a <style>
// of the page would be refused by the content security policy.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type Completion, type CompletionContext } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { graphql, updateSchema } from 'cm6-graphql';
import type { GraphQLSchema } from 'graphql';
import { useEffect, useRef } from 'react';

const look = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'var(--text)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', overflow: 'auto' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--text)' },
  '.cm-line': { padding: '0 12px 0 8px' },
  '.cm-gutters': { backgroundColor: 'transparent', border: 'none', color: 'var(--muted)' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 4px 0 12px', minWidth: '28px' },
  '.cm-foldGutter .cm-gutterElement': { padding: '0 4px', cursor: 'pointer' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--hover) 60%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, ::selection': {
    backgroundColor: 'color-mix(in srgb, var(--series-1) 28%, transparent)',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'color-mix(in srgb, var(--series-1) 24%, transparent)', outline: 'none' },
  '.cm-selectionMatch': { backgroundColor: 'color-mix(in srgb, var(--series-1) 16%, transparent)' },
  '.cm-tooltip': {
    border: '1px solid var(--line)',
    borderRadius: '8px',
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    boxShadow: 'var(--shadow-high)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '13px', maxHeight: '260px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '4px 10px', lineHeight: '20px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--series-1-tint)', color: 'var(--text)' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal' },
  '.cm-tooltip.cm-completionInfo': { padding: '8px 10px', maxWidth: '320px', fontFamily: 'var(--font)', fontSize: '13px' },
  '.cm-diagnostic': { padding: '6px 10px', fontFamily: 'var(--font)', fontSize: '13px' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--bad)' },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-panel input, .cm-panel button': { fontFamily: 'var(--font)', color: 'var(--text)', backgroundColor: 'var(--surface)', backgroundImage: 'none', border: '1px solid var(--line-strong)', borderRadius: '6px' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--hover)', border: 'none', color: 'var(--muted)', padding: '0 6px' },
});

const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.definitionKeyword, tags.modifier], color: 'var(--series-4)' },
  { tag: [tags.propertyName, tags.attributeName, tags.atom], color: 'var(--series-1)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.integer, tags.float, tags.bool, tags.null], color: 'var(--accent)' },
  { tag: [tags.typeName, tags.className], color: 'var(--series-5)' },
  { tag: [tags.variableName, tags.special(tags.variableName)], color: 'var(--text)' },
  { tag: [tags.comment, tags.lineComment, tags.punctuation, tags.bracket, tags.separator], color: 'var(--muted)' },
]);

interface Props {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  onRun?: () => void;
  language: 'graphql' | 'json';
  schema?: GraphQLSchema;
  onDocs?: (type: string, field?: string) => void;
  // names are what an object of variables may hold.
  names?: () => string[];
  placeholder?: string;
}

export function Editor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const readOnly = props.onChange === undefined;

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const parent = document.createElement('div');
    parent.style.height = '100%';
    root.replaceChildren(parent);
    const made = new EditorView({
      root,
      parent,
      state: EditorState.create({ doc: latest.current.value, extensions: extensions(latest, readOnly) }),
    });
    view.current = made;
    if (latest.current.schema) updateSchema(made, latest.current.schema);
    return () => made.destroy();
  }, [readOnly]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== props.value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value }, scrollIntoView: false });
      if (readOnly) editor.scrollDOM.scrollTop = 0;
    }
  }, [props.value, readOnly]);

  useEffect(() => {
    if (view.current && props.schema && props.language === 'graphql') updateSchema(view.current, props.schema);
  }, [props.schema, props.language]);

  return <div className="editor" ref={host} />;
}

function extensions(latest: { current: Props }, readOnly: boolean): Extension[] {
  const { label, language: kind, schema } = latest.current;
  const speaks =
    kind === 'json'
      ? [json(), ...(readOnly ? [] : [autocompletion({ override: [(context) => variableNames(context, latest.current.names?.() ?? [])] })])]
      : graphql(schema, {
          onShowInDocs: (field, type, parent) => latest.current.onDocs?.(parent ?? type ?? '', field),
          // Words of the schema are text, whatever they are made of.
          onCompletionInfoRender: (item) => (item.documentation ? document.createTextNode(String(item.documentation)) : null),
        });
  return [
    lineNumbers(),
    foldGutter(),
    drawSelection(),
    bracketMatching(),
    search({ top: true }),
    ...(readOnly ? [] : [history(), indentOnInput(), closeBrackets(), autocompletion(), highlightActiveLine()]),
    speaks,
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap]),
    syntaxHighlighting(colors),
    look,
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', ...(readOnly ? { 'aria-readonly': 'true' } : {}) }),
    EditorState.readOnly.of(readOnly),
    EditorView.editable.of(!readOnly),
    Prec.highest(
      keymap.of([
        {
          key: 'Mod-Enter',
          run: () => {
            latest.current.onRun?.();
            return latest.current.onRun !== undefined;
          },
        },
      ]),
    ),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
    }),
  ];
}

// variableNames completes the names of the operation's variables.
function variableNames(context: CompletionContext, names: string[]) {
  const word = context.matchBefore(/"?\w*/);
  const before = context.state.sliceDoc(0, word?.from ?? context.pos).trimEnd();
  if (!word || (word.from === word.to && !context.explicit) || !/[{,]$/.test(before)) return null;
  const quoted = context.state.sliceDoc(context.pos, context.pos + 1) === '"';
  const options: Completion[] = names.map((name) => ({ label: name, apply: quoted ? `"${name}` : `"${name}": ` }));
  return { from: word.from, options, filter: false };
}
