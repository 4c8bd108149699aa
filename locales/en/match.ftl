report-title = What your logs say
report-made = Made on { $date }. What was read is told at the end of this page.
report-for = For the owner of these computers. You do not need to be a specialist to read it.
report-print = This page is one file. It loads nothing from elsewhere, so you can mail it, store it and print it.

report-verdict-found = { $count ->
    [one] Your logs contain one known sign of an attack.
   *[other] Your logs contain { $count } different known signs of an attack.
  }
report-verdict-hits = { $count ->
    [one] It appears once.
   *[other] Together they appear { $count } times.
  }
report-verdict-hosts = { $count ->
    [0] None of your own computers is named in the same lines.
    [one] One of your own computers is named in the same lines.
   *[other] { $count } of your own computers are named in the same lines.
  }
report-verdict-means = This is no proof that somebody has broken in. It means that an address, a name or a file that others have reported as harmful appears in your records. It deserves a look today.
report-verdict-allowed = { $count ->
    [one] One find was left out, because a list of harmless values names it.
   *[other] { $count } finds were left out, because a list of harmless values names them.
  }
report-verdict-nothing = Nothing known to be harmful was found in your logs.
report-verdict-unchanged = Nothing new since the last search.
report-verdict-unread = Nothing was read.
report-verdict-new = Only what was new since an earlier search was read. What was found then is not on this page: keep the earlier pages.
report-verdict-partly = Some of the logs could not be read. What stands in them is not known: see “What was read” below.

report-nothing-means = What this means, and what it does not
report-nothing-does = { $index ->
    [one] In the logs that were read, the one sign on the list does not appear in any of its spellings.
   *[other] In the logs that were read, none of the { $index } signs on the list appears in any of its spellings.
  }
report-nothing-else = { $index ->
    [one] In the logs that were read, the one sign on the list does not appear in any of its spellings, but for what was left out as harmless.
   *[other] In the logs that were read, none of the { $index } signs on the list appears in any of its spellings, but for what was left out as harmless.
  }
report-nothing-urls = Most signs on the list are whole web addresses: logs that have only paths, as most web servers write them, cannot show these; search also the logs of a proxy, a firewall or a name server.
report-nothing-doesnt = It does not prove that all is well. Attackers use new addresses every day, a list knows only what somebody has reported, and logs show only what was written down.
report-nothing-next = Keep your logs for at least six months, and repeat this search whenever you receive a newer list.
report-nothing-empty = No line was read at all. Check whether the right files were named: this result says nothing about your computers.

report-nothing-unchanged = The logs have not changed since an earlier search, so none was read again. What that search found still holds: it is on the earlier pages.

report-do = What to do now, in this order
report-do-isolate = Take the computers with strong signs off the network.
report-do-isolate-why = They are listed below under “Strong signs”. Unplug the network cable and switch off Wi-Fi. Leave them switched on and do not reinstall anything: their memory can show what has happened.
report-through = If one of them is a server, a proxy or a router through which others go, do not unplug it: its own log says which computer asked. That is the one to unplug.
report-do-find = Find out which computer it was.
report-do-find-why = The lines below tell the day and the hour. Your router, firewall or mail server knows which of your computers was active then. An address that only called at your website is often no more than a scan: see below.
report-do-look = Look at the computers with weak signs, and leave them connected.
report-do-look-why = They are listed below under “Weak signs only”. Ask who used them on those days, and for what. If nobody knows, or if more comes, treat them as the ones with strong signs.
report-do-call = Call for help.
report-do-call-why = Your country’s computer emergency response team (CERT) helps with exactly this, usually free of charge. Your IT provider can help as well. Read them the first lines of this page.
report-do-call-contact = Whom to call:
report-do-keep = Keep the evidence.
report-do-keep-why = Copy this page and the logs to a USB stick. Delete nothing, clean up nothing, until somebody who knows has looked at it.
report-do-files = Do not open the files that are meant.
report-do-files-why = Somebody has reported them as malicious. Do not delete them yet: note where they are.
report-do-passwords = Change passwords, from another computer that is not on the list.
report-do-passwords-why = First e-mail, then banking, then everything that was used on the computers listed below. Switch on the second factor wherever there is one.
report-do-passwords-unlisted = Change passwords, from a computer that you trust.
report-do-passwords-unlisted-why = First e-mail, then banking, then everything that was used on the computer that is meant, as soon as you know which one it is. Switch on the second factor wherever there is one.
report-do-mail = Answer no mail from the senders below.
report-do-mail-why = Tell everybody in the house. Whoever has opened an attachment or entered a password should say so without fear of blame.
report-do-block = Have the values below blocked.
report-do-block-why = Your IT provider enters them in the firewall and the mail filter. Visit none of them yourself: here they are written with [.] or hxxp so that nobody opens them by accident.
report-do-patch = Install the missing updates.
report-do-patch-why = Somebody mentions or tries weaknesses of programs that have been published. Updates close them.

report-hosts = Your computers
report-hosts-hint = Own addresses that stand in the same lines. Most hits first.
report-hosts-none = No own address stands in these lines. The lines themselves, below, say more.
report-hosts-count = { $count ->
    [one] One computer
   *[other] { $count } computers
  }
report-hosts-strong = Strong signs
report-hosts-strong-next = A name, a page, a file or a payment address that is known to be harmful stands in their lines, or they went to a harmful address themselves. Next step: take them off the network and have them examined.
report-hosts-weak = Weak signs only
report-hosts-weak-next = Only an address (and no line shows that they went to it themselves), a sender of mail, a file’s name, the number of a weakness, or a single visit to a much visited site stands in their lines. That is often harmless. Next step: find out what these computers did, and leave them connected.
report-hosts-more = { $count ->
    [one] One more is not shown.
   *[other] { $count } more are not shown.
  }
report-label = { $name }:
report-host = Computer
report-hits = Hits
report-signs = Signs
report-first = First
report-last = Last
report-files = Files
report-sign = Sign
report-type = Type
report-type-domain = domain name
report-type-url = web address (URL)
report-type-ipv4 = IPv4 address
report-type-ipv6 = IPv6 address
report-type-network = network
report-type-asn = provider’s network (AS)
report-type-email = e-mail address
report-type-filename = file name
report-type-cve = published weakness (CVE)
report-and-more = { $count ->
    [one] and one more
   *[other] and { $count } more
  }
report-line = line { $line }

report-when = When
report-when-hint = { $count ->
    [one] Hits on one day.
   *[other] Hits by day, over { $count } days.
  }
report-when-grouped = Hits over { $days } days; each bar stands for { $count } days.
report-when-undated = { $count ->
    [one] One hit stands on a line that gives no date.
   *[other] { $count } hits stand on lines that give no date.
  }
report-when-table = The same in figures
report-when-max = highest: { $count }
report-day = Day
report-days = Days

report-found = What was found, and what it means
report-found-count = { $count ->
    [one] One sign
   *[other] { $count } signs
  }
report-found-shown = Only the { $count } most frequent signs are shown here. All are in the program’s other outputs.
report-says = Described as
report-sources = Reported in
report-known = Known as
report-marking = Marking
report-example = { $count ->
    [one] One line from the log
   *[other] { $count } lines from the log
  }
report-cut = This line is longer; this is the piece of it around the find.

report-kind-names = Names on the internet
report-kind-names-means = One of your computers has asked for a name that belongs to attackers, or a mail or a page has led there. A computer that asks for such a name often has malicious software that is looking for its master. These are the finds to look at first.
report-kind-urls = Web addresses
report-kind-urls-means = A web page or a download that is known to be harmful: a fake log-in page or a malicious program. Ask who opened it, and what was entered or started.
report-kind-filenames = Names of files
report-kind-filenames-means = A file of this name is known to be malicious. A name proves little: a harmless file may bear the same one. Ask where the file came from, and have it examined before anybody opens it.
report-kind-addresses = Addresses of computers on the internet
report-kind-addresses-means = A computer somewhere in the world with which others have had trouble. If it called at your website or your log-in service, that is often just a scan: such a line in a web server’s log is common. If a line shows that one of your computers went to it, that is serious: that computer then stands above under “Strong signs”. Where the lines do not show who called whom, find that out.
report-kind-networks = Networks of providers
report-kind-networks-means = The number (AS) of a provider’s whole network from which others have had trouble. Thousands of harmless computers are in it too: by itself it means little. Look at what else stands in these lines.
report-kind-files = Files
report-kind-files-means = The fingerprint of a file that is known to be malicious. That file has been on one of your computers, or has passed your mail or web filter.
report-kind-mail = E-mail addresses
report-kind-mail-means = A sender or recipient that fraudsters use. Ask whether somebody has answered, paid or opened an attachment.
report-kind-money = Payment addresses
report-kind-money-means = An address for digital money to which blackmailers or fraudsters want to be paid. Pay nothing before you have called for help.
report-kind-weak = Known weaknesses
report-kind-weak-means = The number of a published weakness in a program. It may come from a scan or from a warning of your own security program. Check whether the update is installed.
report-kind-other = Other signs
report-kind-other-means = Values that others have reported as harmful.

report-read = What was read, and what was not
report-read-files = Files read
report-read-lines = Lines
report-read-bytes = Amount read
report-size-kb = { $number } KB
report-size-mb = { $number } MB
report-size-gb = { $number } GB
report-read-hit = Files with a find
report-read-index = Signs on the list
report-read-left-out = Finds left out, because a list of harmless values names them
report-read-errors = Files that could not be read, or not to the end
report-read-complete = All that was named was read.
report-read-stopped = The search was stopped before its end: the rest of the logs was not read.
report-read-beyond = There was so much that rare finds were dropped from this page: { $count } hits are counted above but not shown.
report-errors = Errors
report-footer = Made by Manara. It compares logs with a list and sends nothing anywhere.
report-footer-told = Made by Manara. It compares logs with a list. This search also tells { $node } which signs were seen, how often and on which day: no line of a log and no address of yours.
