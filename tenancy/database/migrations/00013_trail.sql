-- The last generations, the newest first, each with a mark that is made up with it, such as '12:QX7WH2KD 11:B3NRT5YA '. A store that
-- was put back and has gone on since has other marks than whoever saw it before.
ALTER TABLE store.generation ADD COLUMN trail TEXT DEFAULT '';
