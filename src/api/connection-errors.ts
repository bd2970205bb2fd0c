/**
 * Problem details for requests that never reach a route: broken HTTP, headers that are too large or too slow, addresses that
 * cannot be decoded. The connection is closed, since nobody knows where the next request in it would begin.
 */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';
import { problemOf, sendProblem } from './problems.ts';

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Fastify's `clientErrorHandler`. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy(error);
    return;
  }
  const problem = problemOf(brokenRequest(error.code ?? ''));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${reasons[problem.status]}\r\ncontent-type: application/problem+json\r\nx-content-type-options: nosniff\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function brokenRequest(code: string): HeadgateError {
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadgateError(apiErrors.E_HEADERS_TOO_LARGE, 'the headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new HeadgateError(apiErrors.E_REQUEST_TIMEOUT, 'the request did not come in time');
  return new HeadgateError(apiErrors.E_REQUEST, 'this is not HTTP as it is taken here');
}

/** Fastify's `frameworkErrors`: the address could not be decoded or is too long. */
export function answerBadAddress(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-content-type-options', 'nosniff');
  sendProblem(reply, new HeadgateError(apiErrors.E_REQUEST, 'the address could not be read'));
}
