/**
 * Problem details for requests that never reach a route: broken HTTP, headers that are too large or too slow, addresses that
 * cannot be decoded. The connection is closed, since nobody knows where the next request in it would begin.
 */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { arrivalErrors } from '../pipeline/arrivals/arrival-errors.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { newContext } from '../platform/telemetry/tracing.ts';
import { withWork } from '../platform/telemetry/work-context.ts';
import { apiErrors } from './api-errors.ts';
import { type Problem, problemOf, sendProblem } from './problems.ts';

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

export interface ConnectionErrors {
  /** Fastify's `clientErrorHandler`. */
  answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void;
  /** Fastify's `frameworkErrors`: the address could not be decoded or is too long. */
  answerBadAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void;
  /** From now on the body of an upload comes over this socket, until its answer is given. */
  beginUpload(reply: FastifyReply): void;
}

/** Each answer has a trace of its own, which the log line has too (at `debug`: anybody can make any number of them). */
export function createConnectionErrors(logger: Logger): ConnectionErrors {
  const uploading = new WeakSet<Socket>();
  const inNewTrace = (error: HeadgateError, answer: () => void) =>
    withWork({ trace: newContext(undefined) }, () => {
      logger.debug('a request could not be read', { error });
      answer();
    });
  return {
    answerBrokenRequest(error, socket) {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      if (!socket.writable) {
        socket.destroy(error);
        return;
      }
      const broken = brokenRequest(error.code ?? '', uploading.has(socket));
      inNewTrace(broken, () => endWith(socket, problemOf(broken)));
    },
    answerBadAddress(_error, _request, reply) {
      reply.header('x-content-type-options', 'nosniff');
      const bad = new HeadgateError(apiErrors.E_REQUEST, 'the address could not be read');
      inNewTrace(bad, () => sendProblem(reply, bad));
    },
    beginUpload({ raw, request }) {
      const { socket } = request.raw;
      uploading.add(socket);
      raw.once('close', () => uploading.delete(socket));
    },
  };
}

function endWith(socket: Socket, problem: Problem): void {
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${reasons[problem.status]}\r\ncontent-type: application/problem+json\r\nx-content-type-options: nosniff\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function brokenRequest(code: string, isUpload: boolean): HeadgateError {
  if (code === 'HPE_INVALID_EOF_STATE') {
    if (isUpload) return new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender ended the connection before the end of the file');
    return new HeadgateError(apiErrors.E_REQUEST, 'the connection was ended before the request was whole');
  }
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadgateError(apiErrors.E_HEADERS_TOO_LARGE, 'the headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new HeadgateError(apiErrors.E_REQUEST_TIMEOUT, 'the request did not come in time');
  return new HeadgateError(apiErrors.E_REQUEST, 'this is not HTTP as it is taken here');
}
