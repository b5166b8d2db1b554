package setup

import (
	"strings"
	"testing"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`password passwordHash password_salt passwordsalt pwd pw hashed_pw hashedpw user_pw refreshtoken refresh_token refreshTokens accesstoken
		reset_token password_reset_token recovery_codes recoverycodes connection_string connectionString dsn database_dsn bearer auth basic_auth session_id sessionid license_key licenseKey
		api_key apikey apiKeys API_KEY private_key card_number cardnumber creditcard credit_card_no cvc cvv pin pin2 ssn national_id client_secret clientsecret secrets
		password_hint otp mfa_secret jwt authorization token1`) {
		if !secret(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range strings.Fields(`secretary secretary_name token_count tokens_used max_tokens password_changed_at passwordChangedAt password_updated is_secret isSecret has_password requires_pin
		c_vc credit_card_id creditcardid secret_id author authors auth_type compass passenger passport_office spin pinned happiness topic saltwater hashtag tokenized id key keyboard
		order_id status token_expires_at password_policy session_count dsnap`) {
		if secret(name) {
			t.Errorf("%s is a secret", name)
		}
	}
}

func TestSecretOf(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`api_keys.value ApiKeys.encrypted_value refresh_tokens.digest credentials.data user_passwords.value users.password`) {
		if table, column, _ := strings.Cut(name, "."); !secretOf(table, column) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range strings.Fields(`api_keys.name api_keys.id api_keys.created_at token_types.value settings.value public_keys_used.count passengers.data`) {
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
		row_data old_values newValues object_changes changed_fields whodunnit`) {
		if !personal(name) {
			t.Errorf("%s is for everybody", name)
		}
	}
	for _, name := range strings.Fields(`name id code title description amount addressid address_id email_id is_email headphone_jack microphone mailbox_size streetwear
		shipping shipname ship_method zipper country city state region currency language category rating cellar caribbean mobility`) {
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
