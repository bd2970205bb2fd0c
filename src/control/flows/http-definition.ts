/** What an author says of http targets and connections, as read from the documents. */

export interface HttpTargetDefinition {
  readonly type: 'http';
  readonly connection: string;
  readonly path: string;
  readonly method: 'POST' | 'PUT';
  readonly mode?: 'batch' | 'single';
  readonly envelope: 'none' | 'json-array';
  readonly idempotencyKey?: string;
  readonly requestsInFlight: number;
  readonly results: 'json' | 'ndjson';
  readonly status?: HttpStatusDefinition;
}

export interface HttpStatusDefinition {
  readonly path: string;
  readonly field?: string;
  readonly acked?: readonly string[];
  readonly absent?: readonly string[];
  readonly absentStatus?: readonly number[];
}

export interface HttpConnection {
  readonly type: 'http';
  readonly baseUrl: string;
  readonly auth:
    | { readonly type: 'none' }
    | { readonly type: 'bearer'; readonly token: string }
    | { readonly type: 'basic'; readonly user: string; readonly password: string }
    | { readonly type: 'header'; readonly name: string; readonly value: string }
    | {
        readonly type: 'oauth2';
        readonly tokenUrl: string;
        readonly clientId: string;
        readonly clientSecret: string;
        readonly scope?: string;
        readonly audience?: string;
        readonly clientAuth: 'basic' | 'body';
        readonly certificateAuthority?: string;
      };
  readonly signature?: {
    readonly scheme: 'message-signature' | 'timestamp';
    readonly keyId: string;
    readonly secret: string;
    readonly signatureHeader?: string;
    readonly timestampHeader?: string;
    readonly keyIdHeader?: string;
  };
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly healthPath?: string;
}
