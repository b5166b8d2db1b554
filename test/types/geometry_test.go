package types

import "testing"

// TestGeometry: a geometry is GeoJSON that the functions beside its type make,
// wherever they are. These here stand in for the extension's, which not every
// server has.
func TestGeometry(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE SCHEMA "my gis";
CREATE TYPE "my gis".geometry AS (x float8, y float8, arc bool);
CREATE FUNCTION "my gis".st_hasarc(g "my gis".geometry) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT g.arc';
CREATE FUNCTION "my gis".st_curvetoline(g "my gis".geometry) RETURNS "my gis".geometry LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ROW(g.x, 0, false)::"my gis".geometry';
CREATE FUNCTION "my gis".st_asgeojson(g "my gis".geometry) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
	'SELECT json_build_object(''type'', ''Point'', ''coordinates'', json_build_array(g.x, CASE WHEN g.arc THEN 1 / (g.x * 0)::int ELSE g.y END))::text';
CREATE TYPE geography AS (x float8);
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, g "my gis".geometry, gs "my gis".geometry[], other geography);
INSERT INTO things VALUES (1, 't1', '(1,2,f)', '{"(3,4,f)"}', '(5)'), (2, 't1', '(6,7,t)', NULL, NULL), (3, 't1', NULL, NULL, NULL);`, oneDataset)
	g.answers(t, `{things {g gs other}}`, `{"data":{"things":[{"g":{"coordinates":[1,2],"type":"Point"},"gs":[{"coordinates":[3,4],"type":"Point"}],"other":{"x":5}},`+
		`{"g":{"coordinates":[6,0],"type":"Point"},"gs":null,"other":null},{"g":null,"gs":null,"other":null}]}}`)
	g.answers(t, `{things(where: {g: {contains: {type: "Point"}, path: [{at: "coordinates[0]", number: {eq: 1}}]}}) {id}}`, `{"data":{"things":[{"id":1}]}}`)
}

// TestGeometryNotFinite: a coordinate that is not finite is null, as in JavaScript, in
// the extension itself.
func TestGeometryNotFinite(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE SCHEMA gis; CREATE EXTENSION postgis SCHEMA gis;
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, g gis.geometry, gs gis.geometry[], o gis.geography);
INSERT INTO things VALUES (1, 't1', gis.ST_MakePoint('NaN', 1), ARRAY[gis.ST_MakePoint('Infinity', '-Infinity')], NULL), (2, 't1', gis.ST_MakePoint(1, 2), NULL, 'POINT(1 2)');`, oneDataset)
	g.answers(t, `{things(orderBy: [{id: ASC}]) {g gs o}}`, `{"data":{"things":[{"g":{"coordinates":[null,1],"type":"Point"},"gs":[{"coordinates":[null,null],"type":"Point"}],"o":null},`+
		`{"g":{"coordinates":[1,2],"type":"Point"},"gs":null,"o":{"coordinates":[1,2],"type":"Point"}}]}}`)
}
