-- A record shop whose tables and columns are in capitals, and say nothing of tenants in most of them.
-- args: --tenant CustomerId --naming camel
-- says: Renamed   InvoiceLine.unit_price is served as unitPrice2: the usual name is taken
-- says: Withheld  Customer.CardNumber
CREATE TABLE "Artist" ("ArtistId" int PRIMARY KEY, "Name" varchar(120));
CREATE TABLE "Album" ("AlbumId" int PRIMARY KEY, "Title" varchar(160) NOT NULL, "ArtistId" int NOT NULL REFERENCES "Artist");
CREATE TABLE "MediaType" ("MediaTypeId" int PRIMARY KEY, "Name" varchar(120));
CREATE TABLE "Genre" ("GenreId" int PRIMARY KEY, "Name" varchar(120));
CREATE TABLE "Employee" ("EmployeeId" int PRIMARY KEY, "LastName" varchar(20) NOT NULL, "ReportsTo" int REFERENCES "Employee", "Email" varchar(60));
CREATE TABLE "Customer" ("CustomerId" int PRIMARY KEY, "FirstName" varchar(40) NOT NULL, "SupportRepId" int REFERENCES "Employee", "CardNumber" text);
CREATE TABLE "Invoice" ("InvoiceId" int PRIMARY KEY, "CustomerId" int NOT NULL REFERENCES "Customer", "InvoiceDate" timestamp NOT NULL, "Total" numeric(10,2) NOT NULL, "URLPath" text);
CREATE TABLE "Track" ("TrackId" int PRIMARY KEY, "Name" varchar(200) NOT NULL, "AlbumId" int REFERENCES "Album", "MediaTypeId" int NOT NULL REFERENCES "MediaType",
	"GenreId" int REFERENCES "Genre", "UnitPrice" numeric(10,2) NOT NULL, "unit_price" numeric(10,2));
CREATE TABLE "InvoiceLine" ("InvoiceLineId" int PRIMARY KEY, "InvoiceId" int NOT NULL REFERENCES "Invoice", "TrackId" int NOT NULL REFERENCES "Track", "UnitPrice" numeric(10,2) NOT NULL, "unit_price" numeric(10,2));
CREATE TABLE "Playlist" ("PlaylistId" int PRIMARY KEY, "Name" varchar(120));
CREATE TABLE "PlaylistTrack" ("PlaylistId" int REFERENCES "Playlist", "TrackId" int REFERENCES "Track", PRIMARY KEY ("PlaylistId", "TrackId"));
INSERT INTO "Artist" VALUES (1, 'AC/DC');
INSERT INTO "Album" VALUES (1, 'For Those About To Rock', 1);
INSERT INTO "MediaType" VALUES (1, 'MPEG');
INSERT INTO "Employee" VALUES (1, 'Adams', NULL, 'a@example.org'), (2, 'Edwards', 1, NULL);
INSERT INTO "Customer" VALUES (1, 'Luís', 2, '4111'), (2, 'Leonie', 2, NULL);
INSERT INTO "Invoice" VALUES (1, 2, '2021-01-01', 1.98), (2, 1, '2021-01-02', 3.96), (3, 1, '2021-01-03', 5.94);
INSERT INTO "Track" VALUES (1, 'Inject The Venom', 1, 1, NULL, 0.99, 1);
INSERT INTO "InvoiceLine" VALUES (1, 2, 1, 0.99, 1);
INSERT INTO "Playlist" VALUES (1, 'Music');
INSERT INTO "PlaylistTrack" VALUES (1, 1);
