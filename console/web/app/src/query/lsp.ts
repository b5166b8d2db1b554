// What graphql-language-service takes of vscode-languageserver-types, in whose place it stands: the rest of that is 45 kB that nothing drops.
export const InsertTextFormat = { PlainText: 1, Snippet: 2 } as const;
export const InsertTextMode = { asIs: 1, adjustIndentation: 2 } as const;
