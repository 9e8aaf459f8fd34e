/** The tools of the service `filesystem`: what its methods do, described for a model. */
import { z } from 'zod'
import type { FilesystemApi } from '../../contracts/services.ts'
import { tool } from '../../lib/tool.ts'

const path = z.string().describe('path from the root, as modules/example.ts')
const base = z.string().optional().describe('`hash` from reading it: refused if the file has changed since')

export function fileTools(files: FilesystemApi): object {
  return { ...readingTools(files), ...changingTools(files) }
}

function readingTools(files: FilesystemApi): object {
  return {
    read_file: tool({
      description: 'Read a text file and return its content.',
      params: z.object({
        path,
        offset: z.number().int().optional().describe('first byte'),
        limit: z.number().int().optional().describe('bytes at most'),
      }),
      read_only: true,
      run: ({ path: file, offset, limit }) =>
        files.read_file(file, {
          ...(offset === undefined ? {} : { offset }),
          ...(limit === undefined ? {} : { limit }),
        }),
    }),
    list_files: tool({
      description: 'List the files and folders in a folder.',
      params: z.object({ path: path.default('.'), recursive: z.boolean().optional() }),
      read_only: true,
      run: ({ path: folder, recursive }) => files.list_files(folder, { recursive: recursive === true }),
    }),
    search_files: tool({
      description: 'Search the text of all files for a phrase and return the lines that contain it.',
      params: z.object({ text: z.string().min(1), path: path.default('.') }),
      read_only: true,
      run: ({ text, path: folder }) => files.search_files(text, folder),
    }),
  }
}

function changingTools(files: FilesystemApi): object {
  return {
    write_file: tool({
      description: 'Write a whole text file, whole or not at all. To change a part of one use filesystem_edit_file.',
      params: z.object({ path, content: z.string(), base }),
      run: ({ path: file, content, base: hash }) =>
        files.write_files([{ path: file, content, ...(hash === undefined ? {} : { base: hash }) }])[0],
    }),
    edit_file: tool({
      description: 'Replace one piece of a text file. The old piece must stand in the file exactly once.',
      params: z.object({
        path,
        old_text: z.string().min(1).describe('exactly as it stands, with spaces and line ends'),
        new_text: z.string().describe('what stands there afterwards'),
        base,
      }),
      run: ({ path: file, old_text, new_text, base: hash }) => files.edit_file(file, old_text, new_text, hash),
    }),
    move_file: tool({
      description: 'Move or rename a file. Never over another one. Moving it back undoes it.',
      params: z.object({ from: path, to: path }),
      run: ({ from, to }) => files.move_file(from, to),
    }),
    delete_file: tool({
      description: 'Delete a file. It is put aside: moving `kept_at` back with filesystem_move_file undoes it.',
      params: z.object({ path }),
      run: ({ path: file }) => files.delete_file(file),
    }),
  }
}
