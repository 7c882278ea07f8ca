/** The reasons of the auth process in words: what was wrong with a credential, and what helps. */
export const AUTH_REASONS: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  token_expired: [
    'the token is past its exp',
    'let the client fetch a new token; check its clock, and the lifetime that the issuer gives',
  ],
  token_not_yet_valid: [
    'the token is before its nbf',
    'compare the clocks of the issuer and of this gateway',
  ],
  expiration_too_far: [
    'the token lives longer than config.maximum_expiration allows',
    'let the issuer give shorter tokens, or raise config.maximum_expiration of the plugin',
  ],
  invalid_signature: [
    'the signature of the token does not fit the key',
    'check that the client uses a token of the configured issuer, unchanged; after a rotation of keys see that the key set was fetched (sluice doctor)',
  ],
  unknown_key: [
    'the token is signed with a key that is not in the issuer’s key set',
    'check the issuer’s key set (jwks_uri) and the kid of the token; newly published keys are fetched at the next use',
  ],
  no_credentials: [
    'nobody in the configuration has this key or issuer',
    'add the issuer under `issuers`, or the credential to its consumer: POST /consumers/{consumer}/jwt or /key-auth',
  ],
  no_key_claim: [
    'the token lacks the claim that names its key (config.key_claim_name)',
    'let the issuer put it in, or change config.key_claim_name of the plugin',
  ],
  invalid_key_claim: [
    'the claim that names the key is no text',
    'look at config.key_claim_name of the plugin',
  ],
  invalid_algorithm: [
    'the token is signed with an algorithm that its key or issuer does not allow',
    'allow it for the issuer (`algorithms`) or the credential, if it is meant to be used',
  ],
  bad_token: ['this is no JSON Web Token that can be read', 'look at what the client sends after "Bearer "'],
  unusable_key: ['the configured key cannot be used with its algorithm', 'set the credential’s key again'],
  invalid_claims: [
    'a claim that is verified is missing or wrong',
    'see config.claims_to_verify of the plugin',
  ],
  invalid_audience: [
    'the token is meant for another audience',
    'let the client ask for a token for this API, or add the audience to the issuer’s `audiences`',
  ],
  no_consumer: ['the consumer of the credential is gone', 'create the consumer, or delete the credential'],
  token_revoked: [
    'the token was revoked',
    'see who revoked it and why with: sluice token revocations; the client needs a token that was issued later',
  ],
  key_expired: ['the API key is past its end', 'make a new key: POST /consumers/{consumer}/key-auth'],
  malformed: ['the credential cannot be read', 'look at the Authorization header that the client sends'],
  invalid_password: ['the password is wrong', 'set it anew, or correct the client'],
};

/** No question was asked: the plugin found nothing to ask about. */
export const NO_CREDENTIAL = [
  'no credential was sent where the plugin looks for one',
  'let the client send it, as "Authorization: Bearer …" for tokens; see key_names, header_names or uri_param_names of the plugin',
] as const;
