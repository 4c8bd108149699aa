//! Lines of a proxy, a resolver, a web server and a sensor in which nearly every name and address is new: the
//! harder kind of log, for nothing repeats.

use super::spell::digits;
use crate::random::Random;

const SUB: [&str; 12] =
    ["www", "api", "cdn", "mail", "static", "img", "login", "m", "assets", "fonts", "edge-12", "s3"];
const PATHS: [&str; 10] = [
    "/",
    "/index.html",
    "/api/v2/items?id=",
    "/static/js/app.",
    "/images/logo.png",
    "/search?q=",
    "/login",
    "/feed.xml",
    "/.well-known/security.txt",
    "/wp-content/themes/x/style.css?ver=",
];
const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36",
    "curl/8.5.0",
    "okhttp/4.12.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15",
];

/// Makes lines.
pub(crate) struct Dense<'a> {
    benign: &'a [String],
    /// Milliseconds since 1970.
    now: u64,
}

impl<'a> Dense<'a> {
    pub(crate) fn new(benign: &'a [String]) -> Dense<'a> {
        Dense { benign, now: 1_750_464_000_000 }
    }

    fn host(&self, random: &mut Random) -> String {
        if random.below(10) < 4 {
            return self.benign[random.below(self.benign.len())].clone();
        }
        // A Pareto distribution: few names are visited often, many seldom.
        let drawn = (1.0 - random.below(1 << 20) as f64 / (1 << 20) as f64).powf(-1.0 / 0.35);
        let name = &self.benign[(drawn as usize).min(self.benign.len() - 1)];
        if random.below(10) < 7 { format!("{}.{name}", SUB[random.below(SUB.len())]) } else { name.clone() }
    }

    /// The next line.
    pub(crate) fn line(&mut self, random: &mut Random) -> String {
        self.now += random.below(50) as u64;
        let (seconds, thousandths) = (self.now / 1000, self.now % 1000);
        let host = self.host(random);
        let ip = [223, 256, 256, 254].map(|n| random.below(n));
        let ip = format!("{}.{}.{}.{}", ip[0] + 1, ip[1], ip[2], ip[3] + 1);
        let inner = format!("10.{}.{}.{}", random.below(64), random.below(256), 1 + random.below(254));
        let length = 2 + random.below(19);
        let path = format!("{}{}", PATHS[random.below(PATHS.len())], digits(random, length));
        let (size, hour, minute, second) =
            (100 + random.below(89_900), random.below(24), random.below(60), random.below(60));
        match random.below(20) {
            0..9 => format!(
                "{seconds}.{thousandths:03} {} {inner} TCP_MISS/200 {size} GET http://{host}{path} - HIER_DIRECT/{ip} text/html",
                5 + random.below(3996)
            ),
            9..14 => format!(
                "{seconds}.{thousandths:03}000\tC{}\t{inner}\t{}\t10.0.0.53\t53\tudp\t{}\t0.0{}\t{host}\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\t{ip}\t{}.000000\tF",
                digits(random, 16),
                1024 + random.below(64_512),
                1 + random.below(65_535),
                1000 + random.below(9000),
                1 + random.below(3600)
            ),
            14..18 => format!(
                "{ip} - - [21/Jun/2025:{hour:02}:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" 200 {size} \"https://{host}/\" \"{}\"",
                AGENTS[random.below(AGENTS.len())]
            ),
            _ => format!(
                "{{\"timestamp\": \"2025-06-21T{hour:02}:{minute:02}:{second:02}.123456+0000\", \"flow_id\": {}, \"event_type\": \"fileinfo\", \"src_ip\": \"{ip}\", \"src_port\": 80, \"dest_ip\": \"{inner}\", \"dest_port\": {}, \"proto\": \"TCP\", \"http\": {{\"hostname\": \"{host}\", \"url\": \"{path}\", \"http_user_agent\": \"{}\", \"http_method\": \"GET\", \"status\": 200}}, \"fileinfo\": {{\"filename\": \"{path}\", \"sha256\": \"{}\", \"size\": {size}}}}}",
                random.next(),
                1024 + random.below(64_512),
                AGENTS[random.below(AGENTS.len())],
                digits(random, 64)
            ),
        }
    }
}
