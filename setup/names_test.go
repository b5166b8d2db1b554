package setup

import "testing"

func TestSecrets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"password": true, "password_hash": true, "passwordsalt": true, "PasswordHash": true, "userPwd": true, "api_key": true, "apiKey": true, "APIKEY": true,
		"refresh_token": true, "client_secret": true, "ssn": true, "card_number": true, "CreditCardNo": true, "cvv": true, "salt": true, "content_hash": true,
		"totp_secret": true, "private_key": true, "social_security_no": true, "pass": true,
		"creditcardid": false, "name": false, "passenger": false, "compass": false, "saltiness": false, "hashtag": false, "spinning": false, "key": false,
		"tokenizer": false, "": false, "パスワード": false,
	} {
		if secret(name) != want {
			t.Errorf("%q reads like a secret: %t", name, !want)
		}
	}
}

func TestRowType(t *testing.T) {
	t.Parallel()
	if rowType("query", 1) != "QueryRow" || rowType("query", 2) != "QueryRow2" {
		t.Error(rowType("query", 1), rowType("query", 2))
	}
}
