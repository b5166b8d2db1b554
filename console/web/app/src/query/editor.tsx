// CodeMirror in a shadow root: there its style sheets are adopted, while a <style>
// of the page would be refused by the content security policy.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { linter, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
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
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--warn)' },
  '.cm-gutter-lint': { width: '18px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '4px 0 0 6px' },
  '.cm-lint-marker': { width: '12px', height: '12px' },
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
  // complete offers what can stand at a place of JSON, instead of names.
  complete?: (context: CompletionContext) => CompletionResult | null;
  findings?: { from: number; to: number; message: string; fails: boolean }[];
  goTo?: { from: number; to: number }; // another one moves the cursor there
}

export function Editor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  // What was said to have been typed comes back as the value, perhaps when more has been typed.
  const typed = useRef<string[]>([]);
  const setting = useRef(false);
  const readOnly = props.onChange === undefined;

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const parent = document.createElement('div');
    parent.style.height = '100%';
    root.replaceChildren(parent);
    const made = new EditorView({
      root,
      parent,
      state: EditorState.create({ doc: latest.current.value, extensions: extensions(latest, (text) => setting.current || typed.current.push(text), readOnly) }),
    });
    view.current = made;
    if (latest.current.schema) updateSchema(made, latest.current.schema);
    return () => made.destroy();
  }, [readOnly]);

  useEffect(() => {
    const editor = view.current;
    const echo = typed.current.indexOf(props.value);
    typed.current.splice(0, echo + 1);
    if (echo < 0 && editor && editor.state.doc.toString() !== props.value) {
      setting.current = true;
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value }, scrollIntoView: false });
      setting.current = false;
      if (readOnly) editor.scrollDOM.scrollTop = 0;
    }
  }, [props.value, readOnly]);

  useEffect(() => {
    if (view.current && props.schema && props.language === 'graphql') updateSchema(view.current, props.schema);
  }, [props.schema, props.language]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !props.findings) return;
    const end = editor.state.doc.length;
    const found = props.findings.map(({ from, to, message, fails }) => ({ from: Math.min(from, end), to: Math.min(to, end), message, severity: fails ? ('error' as const) : ('warning' as const) }));
    editor.dispatch(setDiagnostics(editor.state, found));
  }, [props.findings]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !props.goTo) return;
    const end = editor.state.doc.length;
    editor.dispatch({ selection: { anchor: Math.min(props.goTo.from, end), head: Math.min(props.goTo.to, end) }, scrollIntoView: true });
    editor.focus();
  }, [props.goTo]);

  return <div className="editor" ref={host} />;
}

function extensions(latest: { current: Props }, typed: (text: string) => void, readOnly: boolean): Extension[] {
  const { label, language: kind, schema, findings } = latest.current;
  const speaks =
    kind === 'json'
      ? [json(), ...(readOnly ? [] : [autocompletion({ override: [(context) => (latest.current.complete ?? ((at: CompletionContext) => variableNames(at, latest.current.names?.() ?? [])))(context)] })])]
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
    linter(null, { markerFilter: (found, state) => (state.doc.toString().trim() === '' ? [] : [...found]) }), // nothing is not wrong yet
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap, ...completionKeymap]),
    ...(findings ? [lintGutter()] : []),
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
    EditorView.domEventHandlers({ beforeinput: (event, view) => typedOver(event, view) }),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged || latest.current.onChange === undefined) return;
      const text = update.state.doc.toString();
      typed(text);
      latest.current.onChange(text);
    }),
  ];
}

// typedOver takes the place of the browser's typing over what is selected: that would keep the look of what was there
// in a style of an element, which the policy refuses.
function typedOver(event: InputEvent, view: EditorView): boolean {
  const { from, to, empty } = view.state.selection.main;
  const text = event.data;
  if (event.inputType !== 'insertText' || text === null || empty || view.composing || view.state.readOnly) return false;
  const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true });
  if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
  return true;
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
