/**
 * A client that closes its connection when the login fails, and never ends the process. The driver leaves it open where it gives
 * up by itself, for want of a password for example; the server's login timeout of a minute would keep the process alive until then.
 */
import pg from 'pg';

type Connected = (error: Error | null) => void;

export class ClosingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // A connection may break before the pool listens, in the same piece of data that ends the login. The next statement tells.
    this.on('error', () => {});
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.Client> | undefined {
    const connecting = super.connect();
    connecting.catch(() => this.end().catch(() => {}));
    if (callback === undefined) return connecting;
    connecting.then(
      () => callback(null),
      (error: Error) => callback(error),
    );
    return undefined;
  }
}
