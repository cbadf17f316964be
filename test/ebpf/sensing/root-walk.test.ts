import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseMounts, RootWalk } from '../../../src/ebpf/sensing/root-walk.ts'

const made: string[] = []
after(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

const DEV = (7 << 20) | 3
const ROOT_MOUNT = '1 0 7:3 / / rw - overlay overlay rw\n'

/** A process' folder: its root holds `files`, its links lead where the values say. */
function proc(files: readonly string[], links: Record<string, string> = {}, mounts = ROOT_MOUNT): string {
  const dir = mkdtempSync(join(tmpdir(), 'weir-root-'))
  made.push(dir)
  const at = (path: string): string => {
    const full = join(dir, 'root', path)
    mkdirSync(join(full, '..'), { recursive: true })
    return full
  }
  mkdirSync(join(dir, 'root'))
  for (const path of files) writeFileSync(at(path), path)
  for (const [path, target] of Object.entries(links)) symlinkSync(target, at(path))
  writeFileSync(join(dir, 'mountinfo'), mounts)
  return dir
}

const inode = (dir: string, path: string): bigint => statSync(join(dir, 'root', path), { bigint: true }).ino

test('a file has the inode that it has, and the device that the mount has in the kernel', async () => {
  const dir = proc(['/etc/shadow'])
  const walk = await RootWalk.of(dir)
  assert.deepEqual(await walk.find('/etc/shadow', 10), [
    { path: '/etc/shadow', dev: DEV, ino: inode(dir, '/etc/shadow') },
  ])
  assert.deepEqual(await walk.find('/etc/missing', 10), [])
})

test('a wildcard is any part of one name, and finds no more than is asked for', async () => {
  const dir = proc(['/home/a/.ssh/id_rsa', '/home/b/.ssh/id_ed25519', '/home/b/.ssh/known_hosts', '/home/c'])
  const walk = await RootWalk.of(dir)
  const paths = (await walk.find('/home/*/.ssh/id_*', 10)).map(({ path }) => path)
  assert.deepEqual(paths.sort(), ['/home/a/.ssh/id_rsa', '/home/b/.ssh/id_ed25519'])
  assert.equal((await walk.find('/home/*/.ssh/*', 2)).length, 2)
})

test('links are followed as the process would, and never lead out of its root', async () => {
  const dir = proc(['/run/secrets/token', '/etc/host-shadow', '/secret'], {
    '/var/run': '/run',
    '/etc/shadow': '/etc/host-shadow',
    '/etc/up': '../../../../../../../../secret',
    '/etc/outside': '/etc/passwd-that-only-the-host-has',
  })
  const walk = await RootWalk.of(dir)
  assert.equal((await walk.at('/var/run/secrets/token'))?.ino, inode(dir, '/run/secrets/token'))
  assert.equal((await walk.at('/etc/shadow'))?.ino, inode(dir, '/etc/host-shadow'))
  assert.equal((await walk.at('/etc/up'))?.ino, inode(dir, '/secret'))
  assert.equal(await walk.at('/etc/outside'), undefined)
  // As it stands, this link would be resolved against the root of whoever looks.
  const shadow = proc([], { '/etc': '/etc' })
  assert.equal(await (await RootWalk.of(shadow)).at('/etc/passwd'), undefined)
})

test('links that lead in circles, and links that multiply, end soon', async () => {
  const links: Record<string, string> = { '/loop': '/loop', '/a': '/b', '/b': '/a' }
  for (let i = 0; i < 7; i++) links[`/bomb${i}`] = `/${`bomb${i + 1}/`.repeat(50)}`
  links['/bomb7'] = '/'
  const dir = proc([], links)
  const walk = await RootWalk.of(dir)
  const began = performance.now()
  for (const path of ['/loop', '/a', '/bomb0', '/bomb0/x']) assert.equal(await walk.at(path), undefined)
  assert(performance.now() - began < 5000)
})

test('file systems that answer when their owner pleases are not touched', async () => {
  const mounts = `${ROOT_MOUNT}2 1 0:50 / /etc rw - fuse.evil evil rw\n3 1 0:51 / /home rw - nfs4 server rw\n`
  const walk = await RootWalk.of(proc(['/etc/shadow', '/home/a/.ssh/id_rsa'], { '/link': '/etc/shadow' }, mounts))
  for (const path of ['/etc/shadow', '/home/*/.ssh/id_*', '/link']) assert.deepEqual(await walk.find(path, 10), [])
})

test('a mount on a mount is the one that counts, and names may hold spaces', () => {
  const mounts = parseMounts(
    '1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n2 1 0:40 / /a\\040b rw - tmpfs t rw\n3 2 0:41 / /a\\040b rw - tmpfs t rw\nnonsense\n',
  )
  assert.deepEqual(
    mounts.map(({ path, dev }) => [path, dev]),
    [
      ['/a b', 41],
      ['/a b', 40],
      ['/', (8 << 20) | 1],
    ],
  )
})

test('a process that is gone rejects', async () => {
  await assert.rejects(RootWalk.of('/proc/4294967295'))
})
