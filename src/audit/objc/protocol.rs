//! Protocols: `protocol_t`.

use super::method;
use super::model::{Protocol, ProtocolMethods};
use super::reader::Reader;

/// The protocols that the image lists.
pub(super) fn list<'a>(reader: &mut Reader<'_, 'a>) -> Vec<Protocol<'a>> {
    reader
        .listed("the list of protocols", &["__objc_protolist"])
        .into_iter()
        .map(|address| read(reader, address))
        .collect()
}

fn read<'a>(reader: &mut Reader<'_, 'a>, address: u64) -> Protocol<'a> {
    let width = reader.width;
    let field = |index: u64| address.wrapping_add(index * width);
    Protocol {
        name: reader.text_by("a protocol's name", field(1)),
        address,
        protocols: reader.protocol_names(field(2)),
        required: ProtocolMethods {
            instance: method::by(reader, field(3)),
            class: method::by(reader, field(4)),
        },
        optional: ProtocolMethods {
            instance: method::by(reader, field(5)),
            class: method::by(reader, field(6)),
        },
    }
}
