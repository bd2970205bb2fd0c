/** The fence of tests that are not about it: every folder is allowed. */
import { createFolderFence } from '../../src/platform/base/folder-fence.ts';

export const openFence = createFolderFence({ roots: [], protectedFolders: [] });
