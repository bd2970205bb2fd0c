/** References to keys that files are encrypted and signed with. */
export interface PgpKeysOfConnection {
  readonly pgpRecipients?: readonly string[];
  readonly pgpSigningKey?: string;
  readonly pgpPassphrase?: string;
}
