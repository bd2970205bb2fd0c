import { expect, test } from 'vitest';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { RefusedUploads } from './refused-uploads.ts';
import { sftpServerErrors } from './sftp-server-errors.ts';

const folder = { folder: 'in', flowName: 'eft' };
const refused = {
  name: 'a.txt',
  bytes: 10,
  outcome: { error: new HeadgateError(sftpServerErrors.E_RESUME, 'the start is missing') },
  isWhole: true,
  atMs: 1_000,
};

test('a tenant with very many users does not make the receipts of another one go', () => {
  const uploads = new RefusedUploads();
  const [first, other] = [
    { tenantId: 'small', name: 'sender' },
    { tenantId: 'large', name: 'user-0' },
  ];
  uploads.tell(first, folder, refused);
  for (let index = 0; index < 1_200; index++) uploads.tell({ tenantId: 'large', name: `user-${index}` }, folder, refused);
  expect(uploads.of(first, 'in', 2_000)).toHaveLength(1);
  expect(uploads.of(other, 'in', 2_000)).toHaveLength(0);
  expect(uploads.of({ ...other, name: 'user-1199' }, 'in', 2_000)).toHaveLength(1);
});
