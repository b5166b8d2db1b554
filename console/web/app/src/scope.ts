// The scopes of tokens, as the schema names them.
export type Scope = 'CREATE_TOKENS' | 'READ_DATA' | 'WRITE_DATA' | 'EXPORT_DATA' | 'ADMINISTER' | 'EXPLAIN';
