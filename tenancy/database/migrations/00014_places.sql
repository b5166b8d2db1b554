-- When an operator said that the rows of a deleted tenant are gone, so that their places may be another's; 0: nobody has.
ALTER TABLE store.tenants ADD COLUMN released_at BIGINT DEFAULT 0;
