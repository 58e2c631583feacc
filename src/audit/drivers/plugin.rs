//! Which driver this machine uses, by what its GPU says of itself in the I/O registry.

/// The program to ask, and its arguments: properties of the accelerators as a property list.
pub const ASK_FOR_PLUGINS: (&str, &[&str]) = (
    "/usr/sbin/ioreg",
    &["-a", "-r", "-d", "1", "-c", "IOAccelerator"],
);

/// The plug-ins that the answer names (`MetalPluginName`, such as `AGXMetalG16X`); none where it is no
/// such list.
pub fn plugins(answer: &str) -> Vec<String> {
    let Ok(list) = plist::Value::from_reader_xml(answer.as_bytes()) else {
        return Vec::new();
    };
    let accelerators = list.as_array().into_iter().flatten();
    accelerators
        .filter_map(|accelerator| {
            let name = accelerator.as_dictionary()?.get("MetalPluginName")?;
            Some(name.as_string()?.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plug_ins_name_is_read() {
        let answer = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><array><dict>
<key>IOClass</key><string>AGXAcceleratorG16X</string>
<key>MetalPluginName</key><string>AGXMetalG16X</string>
</dict><dict><key>IOClass</key><string>Other</string></dict></array></plist>"#;
        assert_eq!(plugins(answer), ["AGXMetalG16X"]);
        for other in ["", "no list", "<plist version=\"1.0\"><dict/></plist>"] {
            assert_eq!(plugins(other), [""; 0], "{other}");
        }
    }
}
