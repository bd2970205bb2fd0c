/** Problem details of the API as an error of the command line: the same code and sentence, its trace, its next step. */
import { type ErrorActor, type ErrorDetail, HeadgateError } from '../platform/base/errors.ts';

export interface ProblemDetails {
  readonly status?: number;
  readonly code?: string;
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly traceId?: string;
  readonly actor?: ErrorActor;
  readonly errors?: readonly ErrorDetail[];
  readonly actions?: readonly string[];
}

export class ApiProblem extends HeadgateError {
  readonly status: number;
  readonly traceId: string;
  readonly #actions: readonly string[];

  constructor(problem: ProblemDetails, status: number) {
    const { errors: details, retryable, actor } = problem;
    super(problem.code ?? 'E_INTERNAL', problem.detail ?? 'the API refused', { details, retryable, actor });
    this.status = problem.status ?? status;
    this.traceId = problem.traceId ?? '';
    this.#actions = problem.actions ?? [];
  }

  override get next(): string {
    return this.#actions.join(' ') || super.next;
  }
}
