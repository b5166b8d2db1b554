package setup

import (
	"slices"
	"strings"
	"testing"

	"usher/catalog"
	"usher/value"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`password passwordHash password_salt passwordsalt pwd pw hashed_pw hashedpw user_pw refreshtoken refresh_token refreshTokens accesstoken
		reset_token password_reset_token recovery_codes recoverycodes connection_string connectionString dsn database_dsn bearer auth basic_auth session_id sessionid license_key licenseKey
		api_key apikey apiKeys API_KEY private_key card_number cardnumber creditcard credit_card_no cvc cvv pin pin2 ssn national_id client_secret clientsecret secrets
		password_hint otp mfa_secret jwt authorization token1
		hmac_key hmacKey cookie session_cookie cookies cert_pem tls_cert privateKeyPem client_certificate seed nonce wallet_seed two_factor_code webhook_key webhookKey MASTER_KEY
		headers extra_headers request_headers requestHeaders httpheaders auth_header authorization_header smtp smtp_settings ciphertext cipher_text encrypted_value encrypted encrypted_name value_enc
		valueenc tokenEnc data_cipher payload_encrypted database_url db_url dburl jdbc_url redis_url redisUrl mongo_url mongodb_uri amqp_url broker_url slack_url slackWebhookUrl webhook_uri connection_url connection_uri
		conn_str sas_url signed_url presigned_url pre_signed_url magic_link login_link loginlink invite_link inviteLink reset_link reset_url reset_code resetcode unlock_code access_code invite_code
		env_vars envVars environment_variables code_verifier codeVerifier code_challenge pkce_verifier p256dh oauth_state csrf_state recovery_phrase provider_config integrationSettings outgoing_url join_url joinLink ical_url webhook slack_webhook slack_hook p12 client_p12 pfx jwks sso_config auth_config oauth_settings iban IBAN bank_account bank_account_number bankAccountNo
		acc_number sanitized_acc_number psk wifi_psk track1 track2 device_code pairing_code door_code alarmCode pan card_pan panNumber start_url keybox_code entrance_code masterCode vault_combination api_login sftp_identity signing_url signingLink invite_slug memorable_word mrz cvk plaid_item deploy_hook unsubscribe_url
		track_2 acct_no acctNumber clabe ssl_settings tls_config sa_json service_account_json radius_shared snmp_community login_url qr_payload poll_handle`) {
		if !secret(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range strings.Fields(`secretary secretary_name token_count tokens_used max_tokens password_changed_at passwordChangedAt password_updated is_secret isSecret has_password requires_pin
		c_vc credit_card_id creditcardid secret_id author authors auth_type compass passenger passport_office spin pinned happiness topic saltwater hashtag tokenized id key keyboard
		order_id status token_expires_at password_policy session_count dsnap
		header email_header email_header_text header_name headers_count column_headers tableHeaders has_headers smtp_host smtp_port encryption_algorithm encoding is_encrypted url website_url image_url avatarUrl
		link linkedin hyperlink link_count share_count join_count code_challenge_method webhook_id webhook_enabled ordered state user_state estate language_code environment env config settings country_code postal_code access_count access_code_length invite_code_expires_at jwks_uri bank_account_id bank_name reset_at
		seed_catalog seedling nonce_count cookie_policy cookbook certain certificate_number certification concert pempek pin_to_top pinToBoard last_login_method identity slug combination plaid_items_count company japan panel pan_zoom start_date track track_number soundtrack ssl_enabled qr_code_url community`) {
		if secret(name) {
			t.Errorf("%s is a secret", name)
		}
	}
}

func TestSecretOf(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`api_keys.value ApiKeys.encrypted_value refresh_tokens.digest credentials.data user_passwords.value users.password
		exports.url data_exports.file_url DownloadJobs.link image_exports.image_url invites.link invitations.url password_resets.url webhooks.url webhooks.target_url webhooks.address WebhookEndpoints.endpoint webhook_deliveries.url outgoing_hooks.destination
		slack_integrations.webhook slack_integrations.url integrations.endpoint push_subscriptions.endpoint web_push_subscriptions.endpoint push_subscriptions.auth push_subscriptions.p256dh share_links.url magic_links.link bank_accounts.number bankAccounts.account_number
		HashedLink.link private_links.url sentry_servicehook.url`) {
		if table, column, _ := strings.Cut(name, "."); !secretOf(table, column) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range strings.Fields(`api_keys.name api_keys.id api_keys.created_at token_types.value settings.value public_keys_used.count passengers.data
		images.url websites.url companies.website_url links.url products.link push_notifications.url integrations.logo_url integrations.docs_url webhooks.documentation_url webhook_types.url hook_targets.address stores.address oauth_apps.redirect_uri
		oauth_apps.website_url sso_providers.metadata_url teams.url sessions.url exports.url_count export_formats.name exported.url bank_holidays.number bank_accounts.name accounts.number`) {
		if table, column, _ := strings.Cut(name, "."); secretOf(table, column) {
			t.Errorf("%s is a secret", name)
		}
	}
}

func TestPersonal(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`email emails emailaddress email_address emailAddress e_mail contact_mail phonenumber phone_number phone1 telephone home_phone homephone mobile fax fax_no
		first_name firstname FirstName lastname last_name full_name fullname surname reviewername reviewer_name dob date_of_birth birthdate birth_date salary street street2 addressline1 address_line_2 addressline
		address billing_address ip ip_address ipaddress IPAddress passport passport_no tax_id taxid account_number accountnumber iban username user_name password
		display_name user_display_name ownerDisplayName row_data old_values newValues object_changes changed_fields whodunnit`) {
		if !personal(name) {
			t.Errorf("%s is for everybody", name)
		}
	}
	for _, name := range strings.Fields(`name id code title description amount addressid address_id email_id is_email headphone_jack microphone mailbox_size streetwear
		shipping shipname ship_method zipper country city state region currency language category rating cellar caribbean mobility
		invoice_display_name threshold_display_name invoiceDisplayName`) {
		if personal(name) {
			t.Errorf("%s is not for everybody", name)
		}
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`users customer orders Order invoices payments transactionhistory workorder productreview audit_log events web_sessions sales_history employees people app_users active_storage_blobs files documents page_revisions`) {
		if recorded(name) == "" {
			t.Errorf("%s may be everybody's", name)
		}
	}
	for _, name := range strings.Fields(`countries currencies categories order_status event_types catalog blogs user_roles products airports rates languages film payment_methods salesreasons calendars currency_conversions`) {
		if about := recorded(name); about != "" {
			t.Errorf("%s is one of %s", name, about)
		}
	}
}

// What numbers, times, enums and flags are called tells of what is measured, unless such a number is the secret itself.
func TestSensitiveByType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table, column     string
		scalar            value.Scalar
		secret, sensitive bool
	}{
		{"api_keys", "api_key_scope", value.Enum, false, false},
		{"stats", "session_id", value.UUID, false, true},
		{"sessions", "session_id", value.UUID, true, true},
		{"stats", "session_id", value.String, true, true},
		{"usages", "input_tokens", value.BigInt, false, false},
		{"claims", "emailCount", value.Int, false, false},
		{"claims", "emailQuota", value.Int, false, false},
		{"plan_limits", "ci_max_artifact_size_secret_detection", value.Int, false, false},
		{"metrics", "reviewer_first_assigned_at", value.Timestamp, false, false},
		{"settings", "push_repository_for_job_token_allowed", value.Boolean, false, false},
		{"cards", "pin", value.Int, true, true},
		{"cards", "card_number", value.BigInt, true, true},
		{"people", "date_of_birth", value.Date, false, true},
		{"people", "phone", value.BigInt, false, true},
		{"people", "salary", value.Decimal, false, true},
		{"people", "email", value.String, false, true},
		{"tokens", "token", value.UUID, true, true},
		{"vaults", "value_enc", value.Bytes, true, true},
		{"vaults", "encrypted", value.Boolean, false, false},
		{"vaults", "encrypted_at", value.Timestamp, false, false},
		{"endpoints", "headers", value.JSON, true, true},
		{"endpoints", "show_headers", value.Boolean, false, false},
		{"doors", "access_code", value.Int, true, true},
		{"payees", "bank_account_number", value.BigInt, true, true},
		{"payees", "bank_account", value.BigInt, false, false},
		{"sms_verifications", "code", value.Int, true, false},
		{"invites", "code", value.UUID, true, false},
		{"session", "sess", value.JSON, true, false},
		{"invitations", "key", value.UUID, true, false},
		{"login_attempts", "status_code", value.Int, false, false},
		{"resets", "state", value.Enum, false, false},
		{"payment_providers", "config", value.JSON, true, false},
		{"channels", "provider_config", value.String, true, true},
		{"dashboards", "config", value.JSON, false, false},
		{"channels", "webhook", value.Boolean, false, false},
		{"AccessCode", "code", value.String, true, false},
		{"pairings", "code", value.String, true, false},
		{"identities", "data", value.JSON, true, false},
		{"plugins_pluginconfiguration", "configuration", value.JSON, true, false},
		{"integrations", "metadata", value.JSON, true, false},
		{"orders", "metadata", value.JSON, false, false},
		{"social_auth_usersocialauth", "extra_data", value.JSON, true, false},
		{"orders", "extra_data", value.JSON, false, false},
		{"mdl_sessions", "sessdata", value.String, true, false},
		{"apps", "env", value.JSON, true, false},
		{"sentry_authidentity", "data", value.String, true, false},
		{"oauth_account", "raw_info", value.JSON, true, false},
		{"oauth_account", "extra", value.JSON, true, false},
		{"organizationintegration", "config", value.String, true, false},
		{"auth_authenticator", "config", value.JSON, true, false},
		{"repositories", "config", value.String, true, false},
		{"repositories", "info_url", value.String, false, false},
		{"django_session", "session_data", value.String, true, false},
		{"trainings", "session_data", value.String, false, false},
		{"cards", "number", value.String, true, false},
		{"cards", "number", value.Int, false, false},
		{"invoices", "number", value.String, false, false},
		{"payees", "account_number", value.String, true, true},
		{"payees", "account_no", value.BigInt, true, true},
		{"shares", "url", value.String, true, false},
		{"webauthn_credential", "public_key", value.String, false, false},
		{"sentry_commit", "key", value.String, false, false},
		{"apps", "env", value.String, false, false},
	} {
		of := &table{Table: catalog.Table{Name: c.table}}
		column := catalog.TableColumn{Name: c.column, Type: value.Type{Scalar: c.scalar}}
		if got := of.secret(column); got != c.secret {
			t.Errorf("%s.%s (%s) reads like a secret: %t", c.table, c.column, c.scalar, got)
		}
		if got := of.sensitive(column); got != c.sensitive {
			t.Errorf("%s.%s (%s) is hardly for everybody: %t", c.table, c.column, c.scalar, got)
		}
	}
}

// What a table of changes holds of rows shows what is withheld in their own.
func TestCopies(t *testing.T) {
	t.Parallel()
	of := func(name string, scalar value.Scalar) bool {
		name, column, _ := strings.Cut(name, ".")
		return (&table{Table: catalog.Table{Name: name}}).copies(catalog.TableColumn{Name: column, Type: value.Type{Scalar: scalar}})
	}
	for _, name := range strings.Fields(`audits.audited_changes audit_log.old audit_log.new AuditLogs.oldValues auditlog.new_values logs.before logs.after order_history.old_row orderhistory.newRow histories.previous
		versions.object versions.object_changes page_revisions.snapshot revisions.diff changes.changeset change_events.changes changelog.row_data events.record activities.changes audit_entries.row_data audits.olddata
		audit_log.data audit_log.details sentry_auditlogentry.data activity_log.properties audit_event.context history.patch reversion_version.serialized_data outbox.body outbox_messages.payload event_store.data
		domain_events.payload webhook_inbox.body delayed_jobs.handler oban_jobs.args good_jobs.serialized_params jobs.arguments`) {
		for _, scalar := range []value.Scalar{value.JSON, value.String} {
			if !of(name, scalar) {
				t.Errorf("%s (%s) holds no copies", name, scalar)
			}
		}
	}
	for _, name := range strings.Fields(`orders.changes products.snapshot catalogs.object blogs.record dialogs.new logins.old events.data events.payload events.name history.old_status audits.object_id versions.object_type versions.state
		audit_log.data_type outbox.body_size posts.body jobs.title orders.details orders.serialized_data`) {
		if of(name, value.JSON) {
			t.Errorf("%s holds copies", name)
		}
	}
	if of("price_changes.new", value.Decimal) || of("changes.old", value.Timestamp) {
		t.Error("a number and a time are copies of rows")
	}
}

// A key of text opens something, unless its name or the database says that it tells rows, places or texts apart.
func TestKeys(t *testing.T) {
	t.Parallel()
	text := func(name string) catalog.TableColumn {
		return catalog.TableColumn{Name: name, Type: value.Type{Scalar: value.String}}
	}
	customers := &table{Table: catalog.Table{Name: "customers", Columns: []catalog.TableColumn{text("key")}, Unique: [][]string{{"key"}}}}
	hooks := &table{Table: catalog.Table{Name: "hooks", Columns: []catalog.TableColumn{text("name")}}}
	columns := strings.Fields(`sending_key outboundKey hook_key partner_keys thing_key device_key storage_key account_key fetch_key vendor_key zebra_key
		idempotency_key translation_key i18n_key s3_key public_key sort_key cache_key featureKey has_key region_key customer_key payload_key`)
	of := &table{Table: catalog.Table{
		Name: "things", PrimaryKey: []string{"zebra_key"}, Unique: [][]string{{"thing_key"}},
		ForeignKeys: []catalog.ForeignKey{{Columns: []string{"vendor_key"}, RefTable: "vendors", RefColumns: []string{"code"}}},
	}}
	for _, name := range columns {
		of.Columns = append(of.Columns, text(name))
	}
	of.pointed = of.pointing([]*table{of, customers, hooks})
	var got []string
	for _, c := range of.Columns {
		if of.secret(c) {
			got = append(got, c.Name)
		}
	}
	if want := strings.Fields("sending_key outboundKey hook_key partner_keys device_key storage_key account_key fetch_key"); !slices.Equal(got, want) {
		t.Errorf("secrets are %s, not %s", got, want)
	}
	for _, c := range []catalog.TableColumn{{Name: "sealing_key", Type: value.Type{Scalar: value.Bytes}}, {Name: "hmac_key", Type: value.Type{Scalar: value.JSON}}} {
		if !of.secret(c) {
			t.Errorf("%s is no secret", c.Name)
		}
	}
	for _, c := range []catalog.TableColumn{{Name: "hook_key", Type: value.Type{Scalar: value.BigInt}}, {Name: "hook_key", Type: value.Type{Scalar: value.UUID}}, {Name: "price_group_keys", Type: value.Type{Scalar: value.JSON}}} {
		if of.secret(c) {
			t.Errorf("%s is a secret", c.Name)
		}
	}
}

// A key that is called no more than that is what its table is called after, and so is the code by which a row lets somebody in.
func TestKeysByTheirTables(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"schools_invitation.key unique": true, "invitations.code": true, "oauth2_provider_grant.code": true, "PasswordResets.key": true, "account_emailconfirmation.key": true, "hooks.key": true,
		"settings.key": false, "feature_flags.key": false, "active_storage_blobs.key unique": false, "customers.key unique": false, "pairs.key value": false, "coupons.code": false, "orders.code unique": false,
		"api_clients.key unique": true, "licenses.key unique": true, "ServiceAccounts.key unique": true, "webhooks.key unique": true, "sms_verifications.sms_code": true, "email_confirmations.confirm_code": true, "oauth_device_codes.user_code": true,
		"device_codes.device_code": true, "invites.code unique": true, "backup_codes.code": true, "persisted_grants.key pk": true, "oauth_states.state": true, "sso_requests.state": true, "oauth_flows.verifier": true, "passkey_login.challenge": true,
		"session.sid pk": true, "sessions.id payload": true, "sessions.payload": true, "UserSessions.data": true, "login_sessions.key": true, "sessions.id pk": false, "orders.payload": false, "plans.key unique": false, "api_settings.key unique": false, "api_errors.code": false, "countries.code": false, "verification_types.code": false, "login_statuses.key unique": false,
		"phone_verifications.country_code": false, "login_attempts.error_code": false, "verification_requests.state": false, "users.user_code": false,
		"training_sessions.code": false, "auth_permission.codename": false, "things.key pk": false,
	} {
		name, how, _ := strings.Cut(name, " ")
		table, column, _ := strings.Cut(name, ".")
		of := newTable(table, column)
		switch how {
		case "unique":
			of.Unique = [][]string{{"tenant", column}}
		case "pk":
			of.PrimaryKey = []string{column}
		case "value", "payload":
			of = newTable(table, column, how)
		}
		if got := of.secret(of.Columns[0]); got != want {
			t.Errorf("%s (%s) is a secret: %t", name, how, got)
		}
	}
}

func newTable(name string, columns ...string) *table {
	of := &table{Table: catalog.Table{Name: name}}
	for _, column := range columns {
		of.Columns = append(of.Columns, catalog.TableColumn{Name: column, Type: value.Type{Scalar: value.String}})
	}
	return of
}

// A reference to a table is nobody's tax id.
func TestReferencesAreNotPersonal(t *testing.T) {
	t.Parallel()
	taxes := &table{Table: catalog.Table{Name: "taxes", PrimaryKey: []string{"id"}, Columns: []catalog.TableColumn{{Name: "id", Type: value.Type{Scalar: value.UUID}}}}}
	of := &table{Table: catalog.Table{Name: "exported", Columns: []catalog.TableColumn{
		{Name: "old_tax_id", Type: value.Type{Scalar: value.UUID}}, {Name: "oldTaxesIds", Type: value.Type{Scalar: value.JSON}}, {Name: "tax_id", Type: value.Type{Scalar: value.String}},
	}}}
	of.pointed = of.pointing([]*table{of, taxes})
	for i, want := range []bool{false, false, true} {
		if c := of.Columns[i]; of.sensitive(c) != want {
			t.Errorf("%s is hardly for everybody: %t", c.Name, !want)
		}
	}
}

func TestPointsTo(t *testing.T) {
	t.Parallel()
	named := func(name string, key value.Scalar, columns ...string) *table {
		out := &table{Table: catalog.Table{Name: name, PrimaryKey: []string{"id"}, Columns: []catalog.TableColumn{{Name: "id", Type: value.Type{Scalar: key}}}}}
		for _, c := range columns {
			out.Columns = append(out.Columns, catalog.TableColumn{Name: c, Type: value.Type{Scalar: key}})
		}
		return out
	}
	tables := []*table{
		named("projects", value.BigInt), named("gateway_calls", value.UUID), named("users", value.BigInt), named("build_states", value.BigInt), named("Envelope", value.String),
		named("old_notes", value.BigInt), named("new_notes", value.BigInt), named("schedules", value.BigInt),
	}
	for _, c := range []struct {
		column string
		scalar value.Scalar
		to     string // empty: none; ?: one that nobody knows
	}{
		{"project_id", value.BigInt, "projects"},
		{"target_project_id", value.Int, "projects"},
		{"sourceProjectId", value.BigInt, "projects"},
		{"call_id", value.UUID, "gateway_calls"},
		{"call_id", value.BigInt, "?"},
		{"note_id", value.BigInt, "?"}, // of either
		{"state_id", value.Int, "?"},   // of what many have
		{"author_id", value.BigInt, "?"},
		{"updated_by", value.String, "?"},
		{"creatorUid", value.String, "?"},
		{"owner", value.Int, "?"},
		{"envelopeId", value.String, "Envelope"},
		{"project", value.BigInt, "projects"},
		{"schedules", value.Int, ""}, // that is how many
		{"id", value.BigInt, ""},
		{"trace", value.UUID, "?"},
		{"name", value.String, ""},
		{"paid_at", value.Timestamp, ""},
		{"is_paid_by", value.Boolean, ""},
	} {
		from := named("merges", value.BigInt)
		column := catalog.TableColumn{Name: c.column, Type: value.Type{Scalar: c.scalar}}
		to, points := from.pointsTo(column, append(slices.Clone(tables), from))
		got := ""
		switch {
		case to != nil:
			got = to.Name
		case points:
			got = "?"
		}
		if got != c.to {
			t.Errorf("%s (%s) leads to %q, not to %q", c.column, c.scalar, got, c.to)
		}
	}
}

// Of a table of one setting in each row the values are whatever a program has to be told, a password among others.
func TestSettingsInRows(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"component_config.name value": true, "ir_config_parameter.key value": true, "mdl_config_plugins.name value": true, "client_attributes.name value": true, "realm_attribute.name value": true, "tenant_settings.name value": true,
		"wp_options.option_name option_value": true, "wp_usermeta.meta_key meta_value": true, "user_preferences.pref pref_value": true, "org_settings.name val": true, "configuration.conf_key conf_val": true, "user_property.property property_value": true,
		"cfg_settings.cfg_name cfg_value": true, "sentry_projectoptions.key value": true, "sentry_option.key value": true, "installation_configs.name serialized_value": true, "organization_meta.key value": true,
		"product_attributes.name value": false, "product_options.name value": false, "productoptions.name value": false, "poll_options.name value": false, "metrics.name value": false, "feature_values.name value": false, "settings.comment value": false,
	} {
		table, columns, _ := strings.Cut(name, ".")
		of := newTable(table, strings.Fields(columns)...)
		if got := of.secret(of.Columns[1]); got != want {
			t.Errorf("%s reads like a secret: %t", name, got)
		}
	}
}
