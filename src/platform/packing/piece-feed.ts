/** Hands pieces to a reader that asks for them: one is on its way at a time, and a copy, because the giver uses its buffer again. */
export class PieceFeed {
  readonly stream: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #wanted = Promise.withResolvers<void>();
  #isOver = false;

  constructor() {
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wanted.resolve(),
        cancel: () => {
          this.#isOver = true;
          this.#wanted.resolve();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Resolves when the piece before it was used. */
  async give(bytes: Uint8Array): Promise<void> {
    await this.#wanted.promise;
    if (this.#isOver) return;
    this.#wanted = Promise.withResolvers();
    this.#controller.enqueue(new Uint8Array(bytes));
  }

  end(): void {
    if (!this.#isOver) this.#controller.close();
    this.#isOver = true;
  }

  fail(error: Error): void {
    if (!this.#isOver) this.#controller.error(error);
    this.#isOver = true;
    this.#wanted.resolve();
  }
}
