package setup

import (
	"slices"
	"strings"
	"unicode"

	"usher/catalog"
	"usher/value"
)

// What columns are called that nobody, or not everybody, is to read: the words
// of a name, one after the other.
var (
	secretNames = slices.Concat(phrases(`
		password, passwd, passphrase, passcode, pass, pwd, pw, pin, otp, totp, mfa, secret, token, jwt, bearer, hash, salt, credential, dsn, mnemonic,
		api key, access key, secret key, private key, signing key, encryption key, session key, license key, licence key, activation key, key material,
		session id, connection string, connection url, recovery code, recovery key, backup code, security code, verification code, security answer, seed phrase,
		hmac, two factor, 2fa, u2f, otpauth, cookie, csrf, pem, cert, pkcs, pfx, keystore, kubeconfig, htpasswd, ssh key, tls key, ssl key, webhook key, master key, root key, stream key, auth key, hash key, shared key, cipher key, crypto key, crypt key,
		ssn, social security, national id, cvv, cvc, card number, card no, credit card, cc number, hashed pw, p12, conn str, conn string,
		code verifier, code challenge, pkce, p256dh, recovery phrase, acc number, psk, track1, track2, memorable word, memorable information, cvk, mrz, arqc, idp metadata, registration access, access blob, secret blob, plaid item, push handle, push endpoint,
		clabe, acct number, acct no, acct num, service account json, service account file, sa json, radius shared, snmp community, qr payload, poll handle`),
		each("oauth, oauth2, oidc, openid, saml, sso, csrf", "state"),
		each(`database, db, jdbc, odbc, postgres, postgresql, pg, mysql, redis, mongo, mongodb, amqp, rabbitmq, broker, smtp, ldap, connection, conn, proxy, sentry, slack, discord, teams, webhook, hook, outgoing, incoming,
			sas, signed, presigned, pre signed`, "url, uri"),
		each("magic, login, signin, signing, invite, invitation, join, guest, respondent, reset, unlock, activation, verification, confirmation, recovery, access, share", "link"),
		each("magic, login, signin, invite, invitation, join, start, signing, sign, guest, unsubscribe, one click, reset, unlock, activation, verification, confirmation, recovery, ical, ics", "url, uri, slug"),
		each("reset, unlock, access, invite, invitation, login, activation, confirmation, auth, authorization, join, device, pairing, door, gate, alarm, keypad, entrance, entry, keybox, lockbox, locker, safe, vault, lock, master, disarm, duress, gift", "code, combination"),
		each("api, sftp, ftp, ssh, vpn, imap, db, database, admin, root", "login, identity"),
		each("gift card, redemption, redeem, claim", "code"),
		each("auth, authorization, http, request, api, custom, extra", "header"),
		each("env, environment", "var, variable"),
		each("smtp, ssl, tls, sso, auth, saml, oauth, oidc, ldap, imap, provider, integration, connection, connector, bot, webhook", "config, configuration, setting, option"))
	personalNames = phrases(`
		email, mail, phone, telephone, tel, mobile, cell, fax, iban, birth, birthday, birthdate, dob, login, username, user name,
		first name, last name, middle name, full name, given name, family name, maiden name, surname, forename, nick name, nickname, fname, lname,
		reviewer, reviewer name, customer name, client name, contact name, employee name, patient name, guest name, owner name, member name, student name, sender name, recipient name,
		salary, wage, payroll, income, street, address, address line, zip, postcode, postal code, postalcode, ip, ip address, user agent, mac address,
		passport, license number, licence number, tax id, tax number, tax no, vat id, vat number, tin, account number, account no, bank account, sort code, swift, bic,
		gender, marital status, ethnicity, religion, nationality, diagnosis, medical, avatar,
		row data, old data, new data, old value, new value, old row, new row, object change, changed field, whodunnit`)
)

// What is a secret where a name ends with it, and something else within one: seed_catalog, cookie_banner.
var secretEnds = phrases(`
	seed, nonce, certificate, cert chain, certificate chain, enc, encrypted, cipher, ciphertext, cipher text, smtp, jwk, jwks, iban, pan, pan number, bank account, bank account number, bank account no, webhook, slack hook, discord hook, incoming hook, deploy hook, build hook, serial key, service account`)

// Headings, which are called headers, too.
var headings = strings.Fields("column table csv section page row")

// What a key is of, by the word before it, that opens nothing: it tells which row, place or text is meant. Any other key of
// text is withheld, since nobody knows the names that programs give to what they sign and encrypt with.
//
//nolint:misspell // as it is spelled in some countries
var ordinaryKeys = strings.Fields(`
	idempotency idempotent dedup dedupe deduplication unique uniqueness primary foreign natural business surrogate composite external internal lookup search sort sorting order ordering rank partition shard shape group
	grouping route routing cache lock job queue topic message object s file image photo asset blob bucket path folder attachment document i18n i18 l10n i18next translation locale language lang text
	string label title name caption description help hint field column attribute property param parameter option setting config configuration preference variable metadata meta custom map mapping filter facet
	metric event feature flag toggle experiment variant segment issue project ticket task epic category type kind class status state level stage phase step template layout theme style icon color colour menu page
	screen view widget block section slot component node entity record row item resource reference ref parent child tenant org organization organisation workspace
	commit product plan price sku country currency region unit role permission scope policy rule schema table index json response payload request header query body answer question form survey date time day public`)

// Words that names are made of besides: they tell where one word of a name
// ends that is written without a gap, as in refreshtoken and accountnumber.
var particles = strings.Fields(`
	access account activation address api app auth authorization backup bank billing birth business card cell change changed client code company connection contact
	count created credit current customer date day default device display email employee encrypted expires expiry family first full given hashed hint home id
	key last license licence line login main maiden member middle mobile name national new no number old owner patient person personal phone
	place postal primary private recovery refresh reset reviewer secondary secret security session shipping signing social string tax temp text time
	token type updated user value verification web webhook work year`)

// What is said of a secret and is none: when it was changed, whether there is
// one, how many there are.
var (
	aboutLast  = strings.Fields("id count at on date time day expiry expires expired expiration type kind status policy enabled required updated changed created attempts valid verified length strength version limit used name label method")
	aboutFirst = strings.Fields("is has had needs need requires require allow allows can must max min num total show use uses count")
)

// What is sent to, or opened, by whoever knows where: links in tables of what lets somebody in, of what is shared by its link and
// of what takes messages from anybody; and what tables of hooks call that besides. What the word before a link says may be
// meant for all to see.
var (
	links         = strings.Fields("url uri link endpoint")
	receivers     = strings.Fields("target address destination receiver callback")
	linked        = slices.Concat(passes, phrases("webhook, hook, integration, slack, discord, mattermost, zapier, push subscription, web push, webpush, share, share link, shared link, public link, private link, hashed link, secret link, deep link, guest link, tracking link, calendar feed, signed url"))
	ordinaryLinks = strings.Fields("logo icon image img avatar photo picture banner cover thumbnail doc documentation website web site homepage home help support privacy term terms redirect return success cancel error source repository repo")
)

// What a row of a table of secrets has of its secret: api_keys.value.
var held = strings.Fields("value key digest data raw plaintext ciphertext encrypted")

// Words of tables that are called after people.
var people = strings.Fields(`
	user customer client employee staff person people contact patient member student teacher guest visitor subscriber applicant candidate lead donor tenant profile`)

// Words of tables that are called after people, or what these do. The last word
// of a table's name says of what its rows are.
var records = append(slices.Clone(people), strings.Fields(`
	order invoice payment transaction purchase sale booking reservation rental subscription shipment delivery refund payout deposit withdrawal transfer transactionhistory
	ledger bill receipt quote cart basket claim loan salary
	message comment review feedback conversation notification ticket session visit event log audit history upload attachment file document blob revision snapshot appointment prescription workorder`)...)

// What columns call a row of which nothing says the table.
var anything = strings.Fields("entity object owner subject resource record target aggregate actor principal originator")

// Tables of tools that keep which migrations a database has had.
var migrations = strings.Fields(`
	schema_migrations schema_settings schema_version schema_info ar_internal_metadata alembic_version flyway_schema_history databasechangelog databasechangeloglock django_migrations doctrine_migration_versions
	__efmigrationshistory _prisma_migrations _sqlx_migrations goose_db_version gorp_migrations knex_migrations knex_migrations_lock mikro_orm_migrations migrations
	pgmigrations phinxlog sequelizemeta typeorm_metadata`)

// phrases are lists of words.
func phrases(text string) [][]string {
	var out [][]string
	for phrase := range strings.SplitSeq(text, ",") {
		out = append(out, strings.Fields(phrase))
	}
	return out
}

// each are the phrases that those of one list make with those of another one after them.
func each(before, after string) [][]string {
	var out [][]string
	for _, first := range phrases(before) {
		for _, second := range phrases(after) {
			out = append(out, slices.Concat(first, second))
		}
	}
	return out
}

// spelled are all words that names are taken apart into.
var spelled = func() map[string]bool {
	out := make(map[string]bool)
	for _, list := range [][][]string{secretNames, secretEnds, personalNames, {particles}} {
		for _, phrase := range list {
			for _, word := range phrase {
				out[word] = true
			}
		}
	}
	return out
}()

// parted are the words of a name, also of one that is written without gaps, if
// all of it is made of words that are known: refreshtoken has two, and
// secretary is one. Plurals are as the one, and numbers at the end are left out.
func parted(name string) []string {
	var out []string
	for _, word := range words(name) {
		if !spelled[word] { // as p12 is
			word = strings.TrimRightFunc(word, unicode.IsDigit)
		}
		if parts := split(word); parts != nil {
			out = append(out, parts...)
		} else if word != "" {
			out = append(out, word)
		}
	}
	return out
}

// split takes a word apart into known ones, the longest first; nil if it is not
// made of them.
func split(word string) []string {
	if known(word) != "" {
		return []string{known(word)}
	}
	for n := len(word) - 2; n > 1; n-- {
		if first := known(word[:n]); first != "" {
			if rest := split(word[n:]); rest != nil {
				return append([]string{first}, rest...)
			}
		}
	}
	return nil
}

// known is a word that names are made of, in the singular; else empty.
func known(word string) string {
	for _, one := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "es")} {
		if spelled[one] {
			return one
		}
	}
	return ""
}

// secret tells whether a column is called like something that nobody is to
// read.
func secret(column string) bool {
	parts := parted(column)
	if len(parts) == 0 {
		return false
	}
	last := parts[len(parts)-1]
	if last == "auth" || last == "authorization" {
		return true
	}
	if ends(parts, phrases("session id, national id")) || parts[0] == "encrypted" {
		return true
	}
	if len(parts) > 1 && parts[0] == "pin" && parts[1] == "to" { // what is done: pin_to_top
		parts = parts[1:]
	}
	about := len(parts) > 1 && slices.Contains(aboutFirst, parts[0])
	switch {
	case !about && ends(parts, secretEnds):
		return true
	case about, len(parts) > 1 && slices.Contains(aboutLast, last):
		return false
	}
	return mentions(parts, secretNames) || mentions(words(column), phrases("track 1, track 2")) || headers(words(column)) // of a card's magnetic stripe
}

// headers tells whether a name is that of headers of requests, among which credentials are; a single one is some text's.
func headers(parts []string) bool {
	n := len(parts)
	return n > 0 && strings.HasSuffix(parts[n-1], "headers") && (n == 1 || !slices.Contains(headings, parts[n-2]))
}

// What is a secret, and what is not everybody's, as a number or a date, too. Others of these count or measure
// something, as input_tokens does.
var (
	secretNumbers   = phrases("pin, otp, totp, passcode, ssn, social security, national id, cvv, cvc, card number, card no, cc number, security code, verification code, recovery code, backup code, reset code, unlock code, access code, invite code, invitation code, login code, activation code, auth code, authorization code, join code, bank account number, bank account no")
	personalNumbers = phrases("phone, telephone, tel, mobile, cell, fax, birth, birthday, birthdate, dob, salary, wage, payroll, income, tax id, tax number, tax no, vat id, vat number, tin, account number, account no, passport")
)

// secret tells whether a column of the table reads like something that nobody is to read, by its names and its type.
func (t *table) secret(c catalog.TableColumn) bool {
	switch {
	case t.admits(c), t.accounts(c):
		return true
	case c.Type.Scalar == value.UUID && ends(parted(c.Name), phrases("session id")):
		return slices.Equal(t.PrimaryKey, []string{c.Name}) || last(t.Name) == "session" // elsewhere it names one, and opens none
	case measures(c.Type):
		return secret(c.Name) && mentions(parted(c.Name), secretNumbers)
	case c.Type.Scalar == value.JSON && slices.Contains([]string{"env", "environment"}, plain(c.Name)): // variables of it
		return true
	case slices.Contains([]string{"config", "configuration", "setting"}, last(c.Name)) && endsWith(rows(t.Name), outside): // by which a program signs in there
		return true
	case slices.Contains(anyhow, strings.Join(rows(c.Name), " ")) && !measures(c.Type) && endsWith(rows(t.Name), elsewhere):
		return true
	case plain(c.Name) == "extradata" && mentions(rows(t.Name), slices.Concat(signon, phrases("social auth, social account, identity"))): // with tokens, as some libraries keep them
		return true
	case slices.Contains([]string{"value", "val"}, last(c.Name)) && !measures(c.Type) && t.sets() && t.says(c):
		return true // of each of which the row says what it is, a password among others
	}
	return secretOf(t.Name, c.Name) || t.opens(c)
}

// What tables are called of which each row lets somebody in, once or again: by its code, its key and its link.
var (
	passes = phrases("invitation, invite, activation, verification, confirmation, reset, recovery, magic, otp, 2fa, two factor, mfa, login, signin, signup, backup code, device code")
	signon = phrases("oauth, oauth2, openid, oidc, saml, sso")

	admitting = slices.Concat(passes, signon, phrases("auth, authorization, persisted grant, access grant, access code, pairing"))
	byKey     = slices.Concat(admitting, phrases("api, license, licence, webhook, hook, service account")) // by its key, though that tells rows apart
)

// What a code is of, by the word before it, that lets nobody in where each row of a table lets somebody in.
//
//nolint:misspell // as it is spelled in some countries
var ordinaryCodes = strings.Fields(`
	country currency language lang locale region area dial dialing calling phone postal zip post state province city status error err result response reason return exit http type kind class category group
	plan product price sku item tax vat discount org organization organisation tenant company account customer client department branch course subject airport bank`)

// What tables of sessions keep these in, whole.
var wholes = strings.Fields("payload data sess sessdata")

// admits tells whether a column is the code, the key or the state by which a row of its table lets somebody in, or the id of a
// session or what that holds, whatever its type.
func (t *table) admits(c catalog.TableColumn) bool {
	parts := parted(c.Name)
	n := len(parts) - 1
	number := c.Type.Exact() && !c.Type.List
	if n < 0 || measures(c.Type) && !number || t.references(c.Name) {
		return false
	}
	table := rows(t.Name)
	switch last := parts[n]; {
	case last == "state":
		return n == 0 && !number && mentions(table, signon)
	case ends(table, kinds):
		return false
	case last == "slug":
		return n == 0 && !number && (mentions(table, passes) || mentions(table, linked) && table[len(table)-1] == "link")
	case last == "code":
		return mentions(table, admitting) && (n == 0 || !slices.Contains(ordinaryCodes, parts[n-1]) && !slices.Contains(aboutFirst, parts[0]))
	case ends(parts, phrases("session data")):
		return ends(table, phrases("session"))
	case n > 0 || number:
		return false
	case ends(table, phrases("session")) && (last == "sid" || slices.Contains(wholes, last) || last == "id" && c.Type.Text() && slices.ContainsFunc(wholes, t.has)):
		return true // a session that is kept whole is found by its id alone
	}
	return slices.Contains([]string{"key", "verifier", "challenge"}, parts[n]) && mentions(table, admitting)
}

// What tables are called of whose rows each is a way to some other program.
var outside = phrases("integration, connector, connection, provider, webhook, hook, channel, gateway, datasource, data source, destination")

// What a row tells, under these names, of how a program signs in elsewhere, in whatever form.
var (
	elsewhere = phrases("integration, identity, oauth account, social account, linked account, external account, authenticator, repository, database, plugin configuration, plugin config, pluginconfiguration")
	anyhow    = []string{"detail", "metadata", "data", "raw data", "configuration", "config", "info", "raw info", "extra", "extra info", "option", "param", "setting"}
)

// Tables of one setting in each row, whose values are whatever a program has to be told: by a word of their names, or by the
// last one, unless that is of goods and answers, of which somebody chooses.
var (
	settings = phrases("config, configuration, conf, setting, preference, environment, env")
	programs = phrases("client, realm, provider, component, connector, integration")
	set      = strings.Fields("option preference property meta metadata")
	goods    = strings.Fields("product item article variant sku listing dish menu meal vehicle room question answer poll survey quiz vote form field input select choice filter shipping delivery category")
)

// sets tells whether each row of the table is a setting.
func (t *table) sets() bool {
	parts := rows(t.Name)
	n := len(parts) - 1
	if n < 0 || mentions(parts, settings) || parts[n] == "attribute" && mentions(parts, programs) {
		return n >= 0
	}
	return slices.ContainsFunc(set, func(word string) bool {
		of, ends := strings.CutSuffix(parts[n], word) // projectoptions
		if ends && of == "" && n > 0 {
			of = parts[n-1]
		}
		return ends && !slices.ContainsFunc(goods, func(thing string) bool { return strings.HasSuffix(of, thing) })
	})
}

// says tells whether another column says what the value of one is: a name, a key, or what it is called after.
func (t *table) says(value catalog.TableColumn) bool {
	parts := words(value.Name)
	return slices.ContainsFunc(t.Columns, func(c catalog.TableColumn) bool {
		own := words(c.Name)
		n := len(own) - 1
		return c.Name != value.Name && n >= 0 && (own[n] == "name" || own[n] == "key" || slices.Equal(own, parts[:len(parts)-1]))
	})
}

// accounts tells whether a column is the number of an account, and tells no rows of the table apart.
func (t *table) accounts(c catalog.TableColumn) bool {
	return ends(parted(c.Name), phrases("account number, account no")) && (c.Type.Text() || c.Type.Exact()) && !c.Type.List && !t.references(c.Name) && !t.pointed[c.Name] &&
		!slices.ContainsFunc(t.UniqueSets(), func(set []string) bool { return slices.Contains(set, c.Name) })
}

// endsWith tells whether words end with a phrase, be it without a gap: organizationintegration.
func endsWith(parts []string, list [][]string) bool {
	n := len(parts) - 1
	return ends(parts, list) || slices.ContainsFunc(list, func(phrase []string) bool { return n >= 0 && strings.HasSuffix(parts[n], strings.Join(phrase, "")) })
}

// opens tells whether a column of text or bytes is called a key, and nothing says that it tells rows, places or texts
// apart: neither the word before it, nor a key of the table's own.
func (t *table) opens(c catalog.TableColumn) bool {
	parts := parted(c.Name)
	n := len(parts) - 1
	if n < 0 || parts[n] != "key" || !c.Type.Text() && c.Type.Scalar != value.Bytes {
		return false
	}
	switch own := []string{c.Name}; {
	case n == 0: // it is of what its table is called after, tells rows apart, or has a value beside it
		return !slices.Contains(ordinaryKeys, last(t.Name)) && !t.references(c.Name) && !t.has("value") &&
			(mentions(rows(t.Name), byKey) || !slices.ContainsFunc(t.UniqueSets(), func(set []string) bool { return slices.Contains(set, c.Name) }))
	case slices.Contains(ordinaryKeys, parts[n-1]), slices.Contains(aboutFirst, parts[0]):
		return false
	case slices.Contains(t.PrimaryKey, c.Name), t.references(c.Name), t.pointed[c.Name]:
		return false
	case called(parts[:n], t) && t.differsIn(own): // features.feature_key
		return false
	}
	return true
}

// sensitive tells whether a column reads like something that not everybody is to read, by its name and its type.
func (t *table) sensitive(c catalog.TableColumn) bool {
	switch {
	case secret(c.Name) && (c.Type.Scalar == value.UUID || !measures(c.Type)):
		return true
	case c.Type.Scalar == value.UUID || t.pointed[c.Name] && !c.Type.Text(): // a reference: lago_tax_id, of taxes
		return false
	case measures(c.Type):
		return personal(c.Name) && mentions(parted(c.Name), slices.Concat(secretNumbers, personalNumbers))
	}
	return personal(c.Name)
}

// measures tells whether values of a type are too few or too plain to be a secret.
func measures(t value.Type) bool {
	switch t.Scalar {
	case value.Int, value.BigInt, value.Decimal, value.Float, value.Boolean, value.Enum, value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.Interval:
		return true
	}
	return false
}

// secretOf tells whether a column of a table is called like something that nobody is to read, by its own name
// or as what a row of keys, tokens or the like is about.
func secretOf(table, column string) bool {
	if secret(column) {
		return true
	}
	parts := parted(column)
	switch n := len(parts); {
	case n == 0:
		return false
	case slices.Contains(links, parts[n-1]): // it is signed, or known to nobody else
		return slices.ContainsFunc(words(table), func(word string) bool { return slices.Contains([]string{"export", "download"}, singular(word)) }) ||
			(mentions(rows(table), linked) || strings.HasSuffix(last(table), "hook")) && (n == 1 || !slices.Contains(ordinaryLinks, singular(parts[n-2]))) && !ends(rows(table), kinds)
	case n == 1 && slices.Contains(receivers, parts[0]):
		return ends(rows(table), phrases("webhook, hook"))
	case slices.Contains([]string{"number", "no"}, parts[n-1]):
		return ends(parted(table), phrases("bank account")) || n == 1 && ends(parted(table), phrases("card"))
	case ends(parts, phrases("public key")):
		return false
	}
	return slices.Contains(held, parts[len(parts)-1]) && ends(parted(table), secretNames)
}

// What tables are called that tell what was done to rows, and columns that hold such rows as they were or are: one made of
// these words, of which one is among the first.
var (
	changing = strings.Fields("audit auditlog log changelog eventlog activitylog history hist version revision change event activity trail journal archive snapshot")
	copied   = strings.Fields("representation old new before after previous prior changes changed changeset diff delta patch snapshot audited row record object serialized")
	copiedAs = strings.Fields("data value values state attributes fields change image json text original current")
)

// What tables are called that tell, under these names, of everything that is done, and that keep what is to be sent or done.
var (
	journals  = phrases("activity log, change log, changelog, activitylog, admin log")
	journaled = strings.Fields("data detail context property patch extra payload metadata")
	queues    = phrases("outbox, event store, eventstore, stored event, domain event, dead letter, webhook inbox, webhook event, webhook delivery, webhook log, hook inbox, job, task queue, job queue, message queue")
	queued    = strings.Fields("body payload data content handler argument arg param parameter serialized")
)

// keeps tells whether a table tells of everything that is done, or keeps what is to be sent or done, and a column holds it.
func (t *table) keeps(c catalog.TableColumn) bool {
	table, parts := rows(t.Name), words(c.Name)
	if len(parts) == 0 || slices.Contains([]string{"count", "size", "type", "name", "id"}, parts[len(parts)-1]) {
		return false
	}
	what := singular(parts[0])
	switch {
	case slices.ContainsFunc(table, func(word string) bool { return strings.HasPrefix(word, "audit") }), endsWith(table, journals):
		return len(parts) == 1 && slices.Contains(journaled, what) || what == "serialized"
	case mentions(table, queues):
		return len(parts) == 1 && slices.Contains(queued, what) || what == "serialized"
	}
	return false
}

// copies tells whether a column of a table of changes holds copies of rows, or of parts of them.
func (t *table) copies(c catalog.TableColumn) bool {
	if measures(c.Type) || c.Type.Scalar == value.UUID {
		return false
	}
	if t.keeps(c) {
		return true
	}
	if !slices.ContainsFunc(words(t.Name), func(word string) bool {
		word = singular(word)
		return slices.Contains(changing, word) || strings.HasSuffix(word, "history") || strings.HasPrefix(word, "audit")
	}) {
		return false
	}
	parts := words(c.Name)
	if len(parts) == 1 { // olddata
		for _, word := range copiedAs {
			if first, found := strings.CutSuffix(parts[0], word); found && slices.Contains(copied, first) {
				parts = []string{first, word}
			}
		}
	}
	return slices.ContainsFunc(parts, func(word string) bool { return slices.Contains(copied, word) }) &&
		!slices.ContainsFunc(parts, func(word string) bool { return !slices.Contains(copied, word) && !slices.Contains(copiedAs, word) })
}

// closed says why a column is served to nobody before somebody has looked at it; empty: it is served.
func (t *table) closed(c catalog.TableColumn) string {
	switch {
	case t.secret(c):
		return "reads like a secret"
	case t.copies(c):
		return "holds copies of rows of other tables, and what these withhold"
	}
	return ""
}

// personal tells whether a column is called like something that not everybody
// is to read.
func personal(column string) bool {
	parts := parted(column)
	if secret(column) {
		return true
	}
	if len(parts) > 1 && slices.Contains([]string{"is", "has", "needs", "requires"}, parts[0]) {
		return false
	}
	if n := len(parts); n > 1 && parts[n-1] == "id" && !ends(parts, personalNames) {
		parts = parts[:n-2] // that is a reference: address_id
	}
	return mentions(parts, personalNames) || displayed(parts)
}

// displayed tells whether it is a display name of somebody: an invoice has one, too.
func displayed(parts []string) bool {
	for i := range parts {
		if i+1 < len(parts) && parts[i] == "display" && parts[i+1] == "name" && (i == 0 || slices.Contains(people, parts[i-1]) || slices.Contains(somebody, parts[i-1])) {
			return true
		}
	}
	return false
}

// recorded is the word of a table's name by which its rows are people, or what
// people do; empty if it has none.
func recorded(table string) string {
	parts := words(table)
	if len(parts) == 0 {
		return ""
	}
	last := singular(parts[len(parts)-1])
	for _, word := range records {
		if last == word || len(word) > 5 && strings.HasSuffix(last, word) {
			return word
		}
	}
	return ""
}

// mentions tells whether a phrase is among the words.
func mentions(parts []string, list [][]string) bool {
	for i := range parts {
		if slices.ContainsFunc(list, func(phrase []string) bool {
			return i+len(phrase) <= len(parts) && slices.Equal(parts[i:i+len(phrase)], phrase)
		}) {
			return true
		}
	}
	return false
}

// ends tells whether the words end with a phrase.
func ends(parts []string, list [][]string) bool {
	return slices.ContainsFunc(list, func(phrase []string) bool {
		return len(phrase) <= len(parts) && slices.Equal(parts[len(parts)-len(phrase):], phrase)
	})
}
