report-title = Ce que disent vos journaux
report-made = Établi le { $date }. Ce qui a été lu est indiqué à la fin de cette page.
report-for = Pour la personne responsable de ces ordinateurs. Il n’est pas nécessaire d’être spécialiste pour le lire.
report-print = Cette page est un seul fichier. Elle ne charge rien d’ailleurs : vous pouvez l’envoyer, la conserver et l’imprimer.

report-verdict-found = { $count ->
    [one] Vos journaux contiennent un signe d’attaque connu.
   *[other] Vos journaux contiennent { $count } signes d’attaque connus, tous différents.
  }
report-verdict-hits = { $count ->
    [one] Il apparaît une fois.
   *[other] On compte { $count } occurrences en tout.
  }
report-verdict-hosts = { $count ->
    [0] Aucun de vos propres ordinateurs n’est nommé dans les mêmes lignes.
    [one] Un de vos propres ordinateurs est nommé dans les mêmes lignes.
   *[other] { $count } de vos propres ordinateurs sont nommés dans les mêmes lignes.
  }
report-verdict-means = Cela ne prouve pas une intrusion. Cela veut dire qu’une adresse, un nom ou un fichier que d’autres ont signalé comme malveillant figure dans vos journaux. Il faut s’en occuper aujourd’hui.
report-verdict-allowed = { $count ->
    [one] Une occurrence a été laissée de côté, car une liste de valeurs inoffensives la nomme.
   *[other] { $count } occurrences ont été laissées de côté, car une liste de valeurs inoffensives les nomme.
  }
report-verdict-nothing = Rien de malveillant connu n’a été trouvé dans vos journaux.
report-verdict-unchanged = Rien de nouveau depuis la dernière recherche.
report-verdict-unread = Rien n’a été lu.
report-verdict-new = Seul ce qui est nouveau depuis une recherche précédente a été lu. Ce qui avait été trouvé alors ne figure pas sur cette page : conservez les pages précédentes.
report-verdict-partly = Une partie des journaux n’a pas pu être lue. On ne sait pas ce qu’elle contient : voir « Ce qui a été lu » plus bas.

report-nothing-means = Ce que cela veut dire, et ce que cela ne veut pas dire
report-nothing-does = { $index ->
    [one] Dans les journaux lus, le seul signe de la liste n’apparaît sous aucune de ses écritures.
   *[other] Dans les journaux lus, aucun des { $index } signes de la liste n’apparaît, sous aucune de ses écritures.
  }
report-nothing-else = { $index ->
    [one] Dans les journaux lus, le seul signe de la liste n’apparaît sous aucune de ses écritures, hormis ce qui a été laissé de côté comme inoffensif.
   *[other] Dans les journaux lus, aucun des { $index } signes de la liste n’apparaît, sous aucune de ses écritures, hormis ce qui a été laissé de côté comme inoffensif.
  }
report-nothing-urls = La plupart des signes de la liste sont des adresses web entières : un journal qui n’a que des chemins, comme celui de la plupart des serveurs web, ne peut pas les montrer ; cherchez aussi dans les journaux d’un proxy, d’un pare-feu ou d’un serveur de noms.
report-nothing-doesnt = Cela ne prouve pas que tout va bien. Les attaquants changent d’adresse chaque jour, une liste ne connaît que ce que quelqu’un a signalé, et un journal ne montre que ce qui y a été écrit.
report-nothing-next = Gardez vos journaux au moins six mois et refaites cette recherche chaque fois que vous recevez une liste plus récente.
report-nothing-empty = Aucune ligne n’a été lue. Vérifiez que les bons fichiers ont été indiqués : ce résultat ne dit rien de vos ordinateurs.

report-nothing-unchanged = Les journaux n’ont pas changé depuis une recherche précédente, aucun n’a donc été relu. Ce que cette recherche a trouvé reste valable : voyez les pages précédentes.

report-do = Que faire maintenant, dans cet ordre
report-do-isolate = Débranchez du réseau les ordinateurs aux signes forts.
report-do-isolate-why = Ils sont nommés plus bas sous « Signes forts ». Retirez le câble réseau et coupez le Wi-Fi. Laissez-les allumés et ne réinstallez rien : leur mémoire peut montrer ce qui s’est passé.
report-through = Si l’un d’eux est un serveur, un proxy ou un routeur par lequel d’autres passent, ne le débranchez pas : son propre journal dit quel ordinateur a demandé. C’est celui-là qu’il faut débrancher.
report-do-find = Trouvez de quel ordinateur il s’agit.
report-do-find-why = Les lignes plus bas donnent le jour et l’heure. Votre routeur, votre pare-feu ou votre serveur de messagerie sait lequel de vos ordinateurs était actif à ce moment. Une adresse qui a seulement frappé à votre site n’est souvent qu’un balayage : voir plus bas.
report-do-look = Examinez les ordinateurs aux signes faibles, sans les débrancher.
report-do-look-why = Ils sont nommés plus bas sous « Signes faibles seulement ». Demandez qui s’en est servi ces jours-là, et pour quoi faire. Si personne ne le sait, ou si d’autres signes arrivent, traitez-les comme ceux aux signes forts.
report-do-call = Demandez de l’aide.
report-do-call-why = L’équipe nationale de réponse aux incidents (CERT ou CSIRT) aide dans ce cas précis, le plus souvent gratuitement. Votre prestataire informatique le peut aussi. Lisez-leur les premières lignes de cette page.
report-do-call-contact = Qui appeler :
report-do-keep = Conservez les preuves.
report-do-keep-why = Copiez cette page et les journaux sur une clé USB. N’effacez rien et ne nettoyez rien tant qu’une personne compétente n’a pas regardé.
report-do-files = N’ouvrez pas les fichiers en question.
report-do-files-why = Quelqu’un les a signalés comme malveillants. Ne les effacez pas encore : notez où ils se trouvent.
report-do-passwords = Changez les mots de passe, depuis un autre ordinateur qui n’est pas dans la liste.
report-do-passwords-why = D’abord la messagerie, puis la banque, puis tout ce qui a servi sur les ordinateurs nommés plus bas. Activez le second facteur partout où il existe.
report-do-passwords-unlisted = Changez les mots de passe, depuis un ordinateur de confiance.
report-do-passwords-unlisted-why = D’abord la messagerie, puis la banque, puis tout ce qui a servi sur l’ordinateur en cause, dès que vous savez lequel. Activez le second facteur partout où il existe.
report-do-mail = Ne répondez à aucun message des expéditeurs ci-dessous.
report-do-mail-why = Prévenez toute la maison. Qui a ouvert une pièce jointe ou saisi un mot de passe doit pouvoir le dire sans craindre de reproches.
report-do-block = Faites bloquer les valeurs ci-dessous.
report-do-block-why = Votre prestataire les inscrit dans le pare-feu et le filtre de messagerie. N’en visitez aucune : elles sont écrites ici avec [.] ou hxxp pour que personne ne les ouvre par erreur.
report-do-patch = Installez les mises à jour manquantes.
report-do-patch-why = Des failles publiées de certains logiciels sont mentionnées ou essayées. Les mises à jour les corrigent.

report-hosts = Vos ordinateurs
report-hosts-hint = Adresses internes présentes dans les mêmes lignes, les plus touchées d’abord.
report-hosts-none = Aucune adresse interne ne figure dans ces lignes. Les lignes elles-mêmes, plus bas, en disent davantage.
report-hosts-count = { $count ->
    [one] Un ordinateur
   *[other] { $count } ordinateurs
  }
report-hosts-strong = Signes forts
report-hosts-strong-next = Un nom, une page, un fichier ou une adresse de paiement connus comme malveillants figurent dans leurs lignes, ou bien ils sont allés eux-mêmes vers une adresse malveillante. Étape suivante : les débrancher du réseau et les faire examiner.
report-hosts-weak = Signes faibles seulement
report-hosts-weak-next = Leurs lignes ne contiennent qu’une adresse (et aucune ne montre qu’ils y sont allés eux-mêmes), un expéditeur de courrier, un nom de fichier, le numéro d’une faille ou une seule visite à un site très fréquenté. C’est souvent anodin. Étape suivante : savoir ce que ces ordinateurs ont fait, sans les débrancher.
report-hosts-more = { $count ->
    [one] Un autre n’est pas montré.
   *[other] { $count } autres ne sont pas montrés.
  }
report-label = { $name } :
report-host = Ordinateur
report-hits = Occurrences
report-signs = Signes
report-first = Première
report-last = Dernière
report-files = Fichiers
report-sign = Signe
report-type = Type
report-type-domain = nom de domaine
report-type-url = adresse web (URL)
report-type-ipv4 = adresse IPv4
report-type-ipv6 = adresse IPv6
report-type-network = réseau
report-type-asn = réseau d’un fournisseur (AS)
report-type-email = adresse électronique
report-type-filename = nom de fichier
report-type-cve = faille publiée (CVE)
report-and-more = { $count ->
    [one] et un autre
   *[other] et { $count } autres
  }
report-line = ligne { $line }

report-when = Quand
report-when-hint = { $count ->
    [one] Occurrences d’une seule journée.
   *[other] Occurrences par jour, sur { $count } jours.
  }
report-when-grouped = Occurrences sur { $days } jours ; chaque barre vaut { $count } jours.
report-when-undated = { $count ->
    [one] Une occurrence figure sur une ligne sans date.
   *[other] { $count } occurrences figurent sur des lignes sans date.
  }
report-when-table = Les mêmes données en chiffres
report-when-max = maximum : { $count }
report-day = Jour
report-days = Jours

report-found = Ce qui a été trouvé, et ce que cela veut dire
report-found-count = { $count ->
    [one] Un signe
   *[other] { $count } signes
  }
report-found-shown = Seuls les { $count } signes les plus fréquents sont montrés ici. Tous figurent dans les autres sorties du programme.
report-says = Décrit comme
report-sources = Signalé dans
report-known = Connu comme
report-marking = Marquage
report-example = { $count ->
    [one] Une ligne du journal
   *[other] { $count } lignes du journal
  }
report-cut = Cette ligne est plus longue ; voici le passage autour du signe.

report-kind-names = Noms sur l’internet
report-kind-names-means = Un de vos ordinateurs a demandé un nom qui appartient à des attaquants, ou bien un message ou une page y menait. Un ordinateur qui demande un tel nom héberge souvent un logiciel malveillant qui cherche son maître. C’est à regarder en premier.
report-kind-urls = Adresses web
report-kind-urls-means = Une page ou un téléchargement connu pour être nuisible : fausse page de connexion ou programme malveillant. Demandez qui l’a ouvert, et ce qui a été saisi ou lancé.
report-kind-filenames = Noms de fichiers
report-kind-filenames-means = Un fichier de ce nom est connu comme malveillant. Un nom prouve peu : un fichier inoffensif peut porter le même. Demandez d’où vient le fichier et faites-le examiner avant que quelqu’un l’ouvre.
report-kind-addresses = Adresses d’ordinateurs sur l’internet
report-kind-addresses-means = Un ordinateur, quelque part dans le monde, qui a causé des ennuis à d’autres. S’il a frappé à votre site ou à votre service de connexion, ce n’est souvent qu’un balayage : une telle ligne est courante dans le journal d’un serveur web. Si une ligne montre qu’un de vos ordinateurs est allé vers lui, c’est grave : cet ordinateur est alors nommé plus haut sous « Signes forts ». Si les lignes ne montrent pas qui a appelé qui, cherchez-le.
report-kind-networks = Réseaux de fournisseurs
report-kind-networks-means = Le numéro (AS) de tout le réseau d’un fournisseur, d’où d’autres ont eu des ennuis. Des milliers d’ordinateurs inoffensifs s’y trouvent aussi : à lui seul, il veut dire peu. Regardez ce que ces lignes contiennent d’autre.
report-kind-files = Fichiers
report-kind-files-means = L’empreinte d’un fichier connu comme malveillant. Ce fichier s’est trouvé sur un de vos ordinateurs ou a traversé votre filtre de messagerie ou de navigation.
report-kind-mail = Adresses électroniques
report-kind-mail-means = Un expéditeur ou un destinataire dont se servent des fraudeurs. Demandez si quelqu’un a répondu, payé ou ouvert une pièce jointe.
report-kind-money = Adresses de paiement
report-kind-money-means = Une adresse de monnaie numérique où des maîtres chanteurs ou des fraudeurs veulent être payés. Ne payez rien avant d’avoir demandé de l’aide.
report-kind-weak = Failles connues
report-kind-weak-means = Le numéro d’une faille publiée d’un logiciel. Il peut venir d’un balayage ou d’un avertissement de votre propre logiciel de sécurité. Vérifiez que la mise à jour est installée.
report-kind-other = Autres signes
report-kind-other-means = Des valeurs que d’autres ont signalées comme malveillantes.

report-read = Ce qui a été lu, et ce qui ne l’a pas été
report-read-files = Fichiers lus
report-read-lines = Lignes
report-read-bytes = Volume lu
report-size-kb = { $number } Ko
report-size-mb = { $number } Mo
report-size-gb = { $number } Go
report-read-hit = Fichiers où quelque chose a été trouvé
report-read-index = Signes dans la liste
report-read-left-out = Occurrences écartées, car une liste de valeurs inoffensives les nomme
report-read-errors = Fichiers illisibles, en tout ou en partie
report-read-complete = Tout ce qui était indiqué a été lu.
report-read-stopped = La recherche a été arrêtée avant la fin : le reste des journaux n’a pas été lu.
report-read-beyond = Il y avait tant à montrer que les signes rares ont été retirés de cette page : { $count } occurrences sont comptées plus haut sans être montrées.
report-errors = Erreurs
report-footer = Établi par Manara, qui compare des journaux à une liste et n’envoie rien nulle part.
report-footer-told = Établi par Manara, qui compare des journaux à une liste. Cette recherche indique aussi à { $node } quels signes ont été vus, combien de fois et quel jour : aucune ligne d’un journal, aucune de vos adresses.
