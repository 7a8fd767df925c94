import ipaddr from 'ipaddr.js';

/** Which addresses may be called. */
export interface AddressRules {
  /** Why this address, which is one of that host's, may not be called; undefined: it may. */
  findRefusal(host: string, address: string): string | undefined;
}

/** What operators allow although it is refused by default. */
export interface AddressExceptions extends AddressRules {
  /** Whether it is allowed by its name, whatever its addresses are. */
  allowsName(host: string): boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Public by number, but answered by the host machine itself: Azure's metadata and agent service. */
const metadataAddresses = new Set(['168.63.129.16']);

/** All that is routed on the public internet lies in it (IANA, "IPv6 Global Unicast Address Assignments"). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Reads what operators allow: host names (every address of theirs may be called), addresses and networks in CIDR form, or
 * `*` for everything. An entry that is none of these is a host name that nobody has.
 */
export function createAddressExceptions(allowed: readonly string[]): AddressExceptions {
  const isOpen = allowed.includes('*');
  const networks = allowed.map(parseNetwork).filter((network) => network !== undefined);
  const hosts = new Set(allowed.map(toPlainHost));
  const allowsName = (host: string) => isOpen || hosts.has(toPlainHost(host));

  return {
    allowsName,
    findRefusal(host, address) {
      const refusal = describeNonPublic(address);
      if (refusal === undefined || allowsName(host)) return undefined;
      const parsed = parse(address);
      const isAllowed = parsed !== undefined && networks.some((network) => contains(network, parsed));
      return isAllowed ? undefined : refusal;
    },
  };
}

/** Where clouds tell a machine its own secrets, as far as that is not link-local: AWS, Google, Oracle, Alibaba, Azure. */
const cloudAddresses = ['fd00:ec2::254', 'fd20:ce::254', '192.0.0.192', '100.100.100.200', '168.63.129.16'];

/** What no server of a fleet can have, and IPv4 wrapped into IPv6 in ways that nobody serves over. */
const neverInFleet = new Set([
  ...['linkLocal', 'unspecified', 'multicast', 'broadcast'],
  ...['6to4', 'teredo', 'rfc6145', 'rfc6052', 'discard'],
]);

/**
 * Rules for the servers of a fleet, of which most live in private networks: any address but those that never are one, or,
 * where `networks` are given (addresses, or CIDR form), only theirs.
 */
export function createFleetRules(networks?: readonly string[]): AddressRules {
  const allowed = networks?.map(parseNetwork).filter((network) => network !== undefined);
  return {
    findRefusal(_host, text) {
      const address = parse(text);
      if (address === undefined) return 'no IP address';
      const plain = address.toString();
      if (cloudAddresses.some((other) => ipaddr.parse(other).toString() === plain)) return 'metadata';
      const range = address.range();
      if (neverInFleet.has(range)) return range;
      // Among these are IPv4 addresses in their oldest wrapping.
      const isOddIPv6 = range === 'unicast' && address.kind() === 'ipv6' && !contains(globalUnicast, address);
      if (isOddIPv6) return 'reserved';
      const isAllowed = allowed === undefined || allowed.some((network) => contains(network, address));
      return isAllowed ? undefined : 'outside the networks of the fleet';
    },
  };
}

/**
 * What kind of address it is when it is not one of the public internet; undefined when it is. Takes what a URL's host and
 * a resolver give, IPv6 without brackets. Pure.
 */
export function describeNonPublic(text: string): string | undefined {
  const address = parse(text);
  if (address === undefined) return 'no IP address';
  const range = address.range();
  if (address.kind() === 'ipv4') {
    if (metadataAddresses.has(address.toString())) return 'metadata';
    return range === 'unicast' ? undefined : range;
  }
  // 6to4 and Teredo reach into IPv4 networks, and nobody serves over them any more.
  if (range !== 'unicast') return range;
  return contains(globalUnicast, address) ? undefined : 'reserved';
}

/** The address that a URL's host is, `localhost` included; undefined when it is a name. */
export function toLiteralAddress(host: string): string | undefined {
  const plain = toPlainHost(host);
  // Never asked of a name server (RFC 6761, 6.3).
  if (plain === 'localhost' || plain.endsWith('.localhost')) return '127.0.0.1';
  return ipaddr.isValid(plain) ? plain : undefined;
}

/** As it is compared: lower case, without the brackets of IPv6 and the dot of the root. */
function toPlainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** With an IPv4 address that is only wrapped into IPv6 taken out: it is what is called in the end. */
function parse(text: string): Address | undefined {
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  if (!(address instanceof ipaddr.IPv6) || !contains(nat64, address)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function parseNetwork(entry: string): [Address, number] | undefined {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  const plain = toPlainHost(entry);
  if (!ipaddr.isValid(plain)) return undefined;
  const address = ipaddr.process(plain);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function contains(network: readonly [Address, number], address: Address): boolean {
  return network[0].kind() === address.kind() && address.match([network[0], network[1]]);
}
