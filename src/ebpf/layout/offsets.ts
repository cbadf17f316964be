/** Sizes and offsets in bytes of the structs that both sides share, generated from the BTF of the object (bpf/events.h) by `npm run bpf`: do not edit. */

export const HEADER = {
  bytes: 136, type: 0, flags: 2, size: 4, ktime: 8, cpu: 16, count: 20, seq: 24, process: 32, processStart: 32,
  processExecKtime: 40, processTgid: 48, processExecTgid: 52, cgroupId: 56, tid: 64, ppid: 68, uid: 72, euid: 76,
  gid: 80, egid: 84, auid: 88, nsTgid: 92, mntns: 96, pidns: 100, netns: 104, processFlags: 108, capEffective: 112,
  comm: 120,
} as const

export const EXEC = {
  bytes: 632, parent: 136, parentStart: 136, parentExecKtime: 144, parentTgid: 152, parentExecTgid: 156, previous: 160,
  previousStart: 160, previousExecKtime: 168, previousTgid: 176, previousExecTgid: 180, creds: 184, credsUid: 184,
  credsEuid: 188, credsSuid: 192, credsFsuid: 196, credsGid: 200, credsEgid: 204, credsSgid: 208, credsFsgid: 212,
  credsInheritable: 216, credsPermitted: 224, credsEffective: 232, credsBounding: 240, credsAmbient: 248,
  credsSecurebits: 256, credsNoNewPrivs: 260, oldCreds: 264, oldCredsUid: 264, oldCredsEuid: 268, oldCredsSuid: 272,
  oldCredsFsuid: 276, oldCredsGid: 280, oldCredsEgid: 284, oldCredsSgid: 288, oldCredsFsgid: 292,
  oldCredsInheritable: 296, oldCredsPermitted: 304, oldCredsEffective: 312, oldCredsBounding: 320, oldCredsAmbient: 328,
  oldCredsSecurebits: 336, oldCredsNoNewPrivs: 340, ns: 344, nsMnt: 344, nsPid: 348, nsNet: 352, nsUts: 356, nsIpc: 360,
  nsCgroup: 364, nsUser: 368, nsPidForChildren: 372, exe: 376, exeIno: 376, exeDev: 384, exeMode: 388, exeNlink: 392,
  exeUid: 396, exeGid: 400, exeMagic: 404, exeLayer: 408, ctime: 416, mtime: 424, stdinSock: 432, stdinSockLocal: 432,
  stdinSockLocalIp: 432, stdinSockLocalPort: 448, stdinSockRemote: 452, stdinSockRemoteIp: 452,
  stdinSockRemotePort: 468, stdinSockFamily: 472, stdinSockType: 474, stdinSockProtocol: 476, stdinSockCookie: 480,
  stdoutSock: 488, stdoutSockLocal: 488, stdoutSockLocalIp: 488, stdoutSockLocalPort: 504, stdoutSockRemote: 508,
  stdoutSockRemoteIp: 508, stdoutSockRemotePort: 524, stdoutSockFamily: 528, stdoutSockType: 530,
  stdoutSockProtocol: 532, stdoutSockCookie: 536, execFlags: 544, session: 548, pgid: 552, sid: 556, tty: 560,
  oldTid: 564, argsTotal: 568, argc: 572, envc: 576, stdinMode: 580, previousComm: 584, args: 600, argsOff: 600,
  argsLen: 602, env: 604, envOff: 604, envLen: 606, exePath: 608, exePathOff: 608, exePathLen: 610, filename: 612,
  filenameOff: 612, filenameLen: 614, interp: 616, interpOff: 616, interpLen: 618, cwd: 620, cwdOff: 620, cwdLen: 622,
  cgroup: 624, cgroupOff: 624, cgroupLen: 626, stdinPath: 628, stdinPathOff: 628, stdinPathLen: 630,
} as const

export const EXEC_FAILED = {
  bytes: 152, ret: 136, argsTotal: 140, filename: 144, filenameOff: 144, filenameLen: 146, args: 148, argsOff: 148,
  argsLen: 150,
} as const

export const FORK = {
  bytes: 168, parent: 136, parentStart: 136, parentExecKtime: 144, parentTgid: 152, parentExecTgid: 156,
  cloneFlags: 160,
} as const

export const EXIT = {
  bytes: 176, code: 136, signal: 140, core: 144, threads: 148, utime: 152, stime: 160, maxRss: 168,
} as const

export const OPEN = {
  bytes: 200, file: 136, fileIno: 136, fileDev: 144, fileMode: 148, fileNlink: 152, fileUid: 156, fileGid: 160,
  fileMagic: 164, fileLayer: 168, openFlags: 176, created: 180, ret: 184, watch: 188, path: 192, pathOff: 192,
  pathLen: 194, raw: 196, rawOff: 196, rawLen: 198,
} as const

export const FS = {
  bytes: 224, file: 136, fileIno: 136, fileDev: 144, fileMode: 148, fileNlink: 152, fileUid: 156, fileGid: 160,
  fileMagic: 164, fileLayer: 168, op: 176, ret: 180, mode: 184, uid: 188, gid: 192, resolved: 196, watch: 200, dev: 204,
  path: 208, pathOff: 208, pathLen: 210, base: 212, baseOff: 212, baseLen: 214, target: 216, targetOff: 216,
  targetLen: 218, targetBase: 220, targetBaseOff: 220, targetBaseLen: 222,
} as const

export const SOCK = {
  bytes: 264, ep: 136, epLocal: 136, epLocalIp: 136, epLocalPort: 152, epRemote: 156, epRemoteIp: 156,
  epRemotePort: 172, epFamily: 176, epType: 178, epProtocol: 180, epCookie: 184, op: 192, ingress: 194, ret: 196,
  backlog: 200, established: 204, bytesSent: 208, bytesReceived: 216, packetsSent: 224, packetsReceived: 232,
  opened: 240, netnsCookie: 248, path: 256, pathOff: 256, pathLen: 258,
} as const

export const L7 = {
  bytes: 216, ep: 136, epLocal: 136, epLocalIp: 136, epLocalPort: 152, epRemote: 156, epRemoteIp: 156,
  epRemotePort: 172, epFamily: 176, epType: 178, epProtocol: 180, epCookie: 184, kind: 192, ingress: 194, offset: 196,
  total: 200, payload: 208, payloadOff: 208, payloadLen: 210,
} as const

export const CRED = {
  bytes: 312, before: 136, beforeUid: 136, beforeEuid: 140, beforeSuid: 144, beforeFsuid: 148, beforeGid: 152,
  beforeEgid: 156, beforeSgid: 160, beforeFsgid: 164, beforeInheritable: 168, beforePermitted: 176,
  beforeEffective: 184, beforeBounding: 192, beforeAmbient: 200, beforeSecurebits: 208, beforeNoNewPrivs: 212,
  after: 216, afterUid: 216, afterEuid: 220, afterSuid: 224, afterFsuid: 228, afterGid: 232, afterEgid: 236,
  afterSgid: 240, afterFsgid: 244, afterInheritable: 248, afterPermitted: 256, afterEffective: 264, afterBounding: 272,
  afterAmbient: 280, afterSecurebits: 288, afterNoNewPrivs: 292, op: 296, ret: 300, arg: 304,
} as const

export const CAP = {
  bytes: 152, cap: 136, ret: 140, userns: 144, syscall: 148,
} as const

export const NS = {
  bytes: 216, before: 136, beforeMnt: 136, beforePid: 140, beforeNet: 144, beforeUts: 148, beforeIpc: 152,
  beforeCgroup: 156, beforeUser: 160, beforePidForChildren: 164, after: 168, afterMnt: 168, afterPid: 172,
  afterNet: 176, afterUts: 180, afterIpc: 184, afterCgroup: 188, afterUser: 192, afterPidForChildren: 196, flags: 200,
  op: 208, ret: 212,
} as const

export const MOUNT = {
  bytes: 168, flags: 136, op: 144, ret: 148, source: 152, sourceOff: 152, sourceLen: 154, target: 156, targetOff: 156,
  targetLen: 158, fstype: 160, fstypeOff: 160, fstypeLen: 162,
} as const

export const MODULE = {
  bytes: 208, file: 136, fileIno: 136, fileDev: 144, fileMode: 148, fileNlink: 152, fileUid: 156, fileGid: 160,
  fileMagic: 164, fileLayer: 168, op: 176, ret: 180, taints: 184, flags: 188, name: 192, nameOff: 192, nameLen: 194,
  path: 196, pathOff: 196, pathLen: 198, params: 200, paramsOff: 200, paramsLen: 202,
} as const

export const BPF = {
  bytes: 176, op: 136, cmd: 140, ret: 144, kind: 148, insnCount: 152, attachType: 156, targetFd: 160, targetPid: 164,
  name: 168, nameOff: 168, nameLen: 170,
} as const

export const PTRACE = {
  bytes: 200, target: 136, targetStart: 136, targetExecKtime: 144, targetTgid: 152, targetExecTgid: 156, request: 160,
  address: 168, op: 176, ret: 180, targetComm: 184,
} as const

export const MEMFD = {
  bytes: 152, flags: 136, ret: 140, name: 144, nameOff: 144, nameLen: 146,
} as const

export const IOURING = {
  bytes: 152, opcode: 136, entries: 140, ret: 144, flags: 148,
} as const

export const CGROUP = {
  bytes: 176, id: 136, parentId: 144, hierarchy: 152, level: 156, op: 160, movedTgid: 164, path: 168, pathOff: 168,
  pathLen: 170,
} as const

export const HEARTBEAT = {
  bytes: 144, nonce: 136,
} as const

export const THROTTLE = {
  bytes: 152, class: 136, ended: 140, suppressed: 144,
} as const

export const FD = {
  bytes: 200, ep: 136, epLocal: 136, epLocalIp: 136, epLocalPort: 152, epRemote: 156, epRemoteIp: 156,
  epRemotePort: 172, epFamily: 176, epType: 178, epProtocol: 180, epCookie: 184, oldFd: 192, newFd: 196,
} as const

export const SIGNAL = {
  bytes: 184, target: 136, targetStart: 136, targetExecKtime: 144, targetTgid: 152, targetExecTgid: 156, signal: 160,
  ret: 164, targetComm: 168,
} as const

export const SYSCALL = {
  bytes: 168, args: 136, op: 160, ret: 164,
} as const

export const COUNTERS = {
  bytes: 112, attempted: 0, emitted: 8, dropRing: 16, dropScratch: 24, dropToobig: 32, dropPressure: 40,
  dropSimulated: 48, dropUnread: 56, filtered: 64, deduped: 72, throttled: 80, readFault: 88, truncated: 96,
  noState: 104,
} as const

export const CONFIG = {
  bytes: 112, signals: 0, cgroupSubsys: 4, withEnv: 8, simulateDrop: 12, dedupSeconds: 16, scopeDefault: 20,
  hasScopes: 24, hasPathRules: 28, hasAddressRules: 32, hasBinaryRules: 36, l7Payload: 40, failedOpens: 44,
  hasFileLsm: 48, hasPathLsm: 52, rate: 56, burst: 72, capMask: 96, wakeBytes: 104,
} as const

export const INODE_KEY = {
  bytes: 16, ino: 0, dev: 8,
} as const

export const PATH_KEY = {
  bytes: 256, prefixLen: 0, text: 4,
} as const

export const ADDRESS_KEY = {
  bytes: 20, prefixLen: 0, ip: 4,
} as const
